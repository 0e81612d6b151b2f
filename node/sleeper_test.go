package node

import "testing"

// A sleep ends at once when the second look finds something, or when a wake comes between the look and the sleep. A wake
// lost here would hang this test.
func TestNoWakeIsLost(t *testing.T) {
	s, err := newSleeper()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()

	s.wake() // awake: rings nothing
	s.sleep(func() bool { return true })
	if s.sleeps.Load() != 0 || s.asleep.Load() {
		t.Error("it slept although there was something to do")
	}

	s.sleep(func() bool { s.wake(); return false })
	if s.sleeps.Load() != 1 || s.asleep.Load() {
		t.Error("it did not sleep although it found nothing")
	}

	// The look finds something and the waker has rung: the next sleep ends at once, and then the bell is silent again.
	s.sleep(func() bool { s.wake(); return true })
	s.sleep(func() bool { return false })
	woken := make(chan struct{})
	raised := make(chan struct{})
	go func() {
		s.sleep(func() bool { close(raised); return false })
		close(woken)
	}()
	<-raised
	select {
	case <-woken:
		t.Error("it woke without a wake")
	default:
	}
	s.wake()
	<-woken
}
