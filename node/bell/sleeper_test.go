package bell

import (
	"testing"
	"time"
)

// A sleep ends at once when the second look finds something, or when a wake comes between the look and the sleep. A wake
// lost here would hang this test.
func TestNoWakeIsLost(t *testing.T) {
	s, err := NewSleeper()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	s.Wake() // awake: rings nothing
	s.Sleep(func() bool { return true })
	if s.sleeps.Load() != 0 || s.asleep.Load() {
		t.Error("it slept although there was something to do")
	}

	s.Sleep(func() bool { s.Wake(); return false })
	if s.sleeps.Load() != 1 || s.asleep.Load() {
		t.Error("it did not sleep although it found nothing")
	}

	// The look finds something and the waker has rung: the next sleep ends at once, and then the bell is silent again.
	s.Sleep(func() bool { s.Wake(); return true })
	s.Sleep(func() bool { return false })
	woken := make(chan struct{})
	raised := make(chan struct{})
	go func() {
		s.Sleep(func() bool { close(raised); return false })
		close(woken)
	}()
	<-raised
	select {
	case <-woken:
		t.Error("it woke without a wake")
	default:
	}
	s.Wake()
	<-woken
}

// A wake ends the wait of a sleeper that waits for other things too, and is heard once.
func TestSleepInAnotherWait(t *testing.T) {
	s, err := NewSleeper()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	s.SleepIn(func(int) { t.Error("it slept although there was something to do") }, func() bool { return true })
	waits := 0
	s.SleepIn(func(int) { waits++; s.Wake() }, func() bool { return false })
	if waits != 1 || s.Asleep() || s.Sleeps() != 1 {
		t.Errorf("%d waits, %d sleeps, asleep %v", waits, s.Sleeps(), s.Asleep())
	}
	s.SleepFor(0, func() bool { return false }) // the bell is silent: this ends by itself
	s.SleepIn(func(int) { waits++ }, func() bool { return false })
	if waits != 2 {
		t.Errorf("%d waits", waits)
	}
}

// A sleep that is limited ends by itself, and by a wake before that.
func TestSleepEndsByItself(t *testing.T) {
	s, err := NewSleeper()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	s.SleepFor(0, func() bool { return false })
	s.SleepFor(time.Millisecond, func() bool { return false })
	if s.Sleeps() != 2 || s.Asleep() {
		t.Errorf("%d sleeps, asleep %v", s.Sleeps(), s.Asleep())
	}
	s.SleepFor(time.Hour, func() bool { s.Wake(); return false }) // a wake that is lost would hang this test
}
