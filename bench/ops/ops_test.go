package ops

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// published are streams whose bytes and results are known to others.
var published = []struct {
	profile string
	timed   uint64
	seed    uint64
	counts  [4]uint64 // new, ioc, cancel, replace
	want    Result
	sha     string
}{
	{"b10k", 100_000, Seed, [4]uint64{50072, 4919, 39939, 5070}, Result{14575, 495039, 0x266fcf0a97f3448a},
		"1873ab21403731d6ab80a1121e45cccf8bf8a475f81a44c7be7367134f179e61"},
	{"b100k", 100_000, Seed, [4]uint64{50055, 5074, 39976, 4895}, Result{14384, 488612, 0x5ef46d9d0b71ffd4},
		"8904094c4132c1018d526e940cfd505ba3b318c7a02d4a5c79b22b5435a9157e"},
	{"ec1k", 100_000, Seed, [4]uint64{8859, 2949, 5957, 82235}, Result{5750, 147682, 0x377387ef0348606e},
		"fe5034dae6e88650535d6e0d3160d49625c78c05fd257d25f611e96a22cfaae0"},
	{"b10k", 1_000_000, 1, [4]uint64{499938, 49704, 399972, 50386}, Result{147737, 5014789, 0x97d8ccd53406e264},
		"b1c068012282164507f48bad5de93866810cc25370e6a6195ca70014345e04dd"},
	{"b10k", 5_000_000, Seed, [4]uint64{2498252, 249288, 2002603, 249857}, Result{739662, 25058953, 0x320991d6887f41da},
		"e6ad40fc71c98c4b0d569d47b8f76dc0360cfa7b9c1390be3f87fce85acc840d"},
	{"b100k", 5_000_000, Seed, [4]uint64{2387280, 249345, 2113597, 249778}, Result{374753, 13317361, 0x5128594f9ecf8087},
		"162103ef6430ac1e330beafa979049835eaab91a94a2a2825295a7ca04aecade"},
	{"ec1k", 5_000_000, Seed, [4]uint64{446997, 149331, 302618, 4101054}, Result{290518, 7532436, 0xd9090cacdd79cba4},
		"5d8a918940796fd97e5aa9ab16fe5fe49c19f22e54f61f57662fd45dda606937"},
}

func TestGenerateReproducesPublishedStreams(t *testing.T) {
	for _, p := range published {
		t.Run(fmt.Sprintf("%s/%d", p.profile, p.timed), func(t *testing.T) {
			if p.timed > 1_000_000 && os.Getenv("LOCKSTEP_LONG") == "" {
				t.Skip("set LOCKSTEP_LONG=1 for the full streams")
			}
			if p.timed > 100_000 && testing.Short() {
				t.Skip("short")
			}
			s := generate(t, p.profile, p.timed, p.seed)
			if s.Want != p.want || s.Counts() != p.counts {
				t.Errorf("got %v %v, want %v %v", s.Want, s.Counts(), p.want, p.counts)
			}
			h := sha256.New()
			if _, err := s.WriteTo(h); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%x", h.Sum(nil)); got != p.sha {
				t.Errorf("bytes hash to %s, want %s", got, p.sha)
			}
		})
	}
}

func generate(t testing.TB, profile string, timed, seed uint64) *Stream {
	t.Helper()
	p, err := Named(profile)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Generate(p, timed, seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFileRoundTrip(t *testing.T) {
	s := generate(t, "ec1k", 2_000, 7)
	for _, blind := range []bool{false, true} {
		if blind {
			s.MakeBlind()
		}
		path := filepath.Join(t.TempDir(), "s.ops")
		if err := s.WriteFile(path); err != nil {
			t.Fatal(err)
		}
		back, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if back.Prefill != s.Prefill || back.MaxID != s.MaxID || back.Want != s.Want || !slices.Equal(back.Ops, s.Ops) {
			t.Error("a stream does not come back as it was written")
		}
		if back.Blind() != blind {
			t.Errorf("blind is %v, want %v", back.Blind(), blind)
		}
		if _, err := back.Verify(path); err != nil {
			t.Error(err)
		}
	}
}

// TestReadRefuses holds that every rule of the format is checked, and that the
// error says where.
func TestReadRefuses(t *testing.T) {
	var good bytes.Buffer
	s := generate(t, "ec1k", 10, 7)
	if _, err := s.WriteTo(&good); err != nil {
		t.Fatal(err)
	}
	record := func(i int) int { return headerSize + i*recordSize }
	for _, c := range []struct {
		name string
		at   string
		harm func([]byte) []byte
	}{
		{"empty", "header: cut off", func(b []byte) []byte { return b[:0] }},
		{"half a header", "header: cut off", func(b []byte) []byte { return b[:40] }},
		{"magic", "header: magic", func(b []byte) []byte { b[0]++; return b }},
		{"version", "header: version is 2, expected 1", func(b []byte) []byte { b[8]++; return b }},
		{"record size", "header: record size is 33, expected 32", func(b []byte) []byte { b[12]++; return b }},
		{"a byte too many", "header: prefill", func(b []byte) []byte { return append(b, 0) }},
		{"a byte too few", "header: prefill", func(b []byte) []byte { return b[:len(b)-1] }},
		{"a record too few", "header: prefill", func(b []byte) []byte { return b[:len(b)-recordSize] }},
		{"prefill beyond the file", "header: prefill", func(b []byte) []byte { b[23] = 0xff; return b }},
		{"counts that wrap", "header: prefill", func(b []byte) []byte {
			binary.LittleEndian.PutUint64(b[16:], ^uint64(0))
			binary.LittleEndian.PutUint64(b[24:], uint64(len(s.Ops))+1)
			return b
		}},
		{"largest id", "header: largest id", func(b []byte) []byte { b[39] = 1; return b }},
		{"kind", "record 3: operation is 4", func(b []byte) []byte { b[record(3)] = 4; return b }},
		{"side", "record 4: side is 2", func(b []byte) []byte { b[record(4)+1] = 2; return b }},
		{"id 0", "record 5: order id is 0", func(b []byte) []byte { binary.LittleEndian.PutUint64(b[record(5)+8:], 0); return b }},
		{"id above the largest", "record 6: order id is", func(b []byte) []byte {
			binary.LittleEndian.PutUint64(b[record(6)+8:], s.MaxID+1)
			return b
		}},
	} {
		b := c.harm(bytes.Clone(good.Bytes()))
		path := filepath.Join(t.TempDir(), "harmed.ops")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		var fe *FormatError
		if !errors.As(err, &fe) {
			t.Errorf("%s: error is %v, want a FormatError", c.name, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), path+": "+c.at) {
			t.Errorf("%s: error is %q, want it to start with %q", c.name, err, path+": "+c.at)
		}
	}
}

// TestVerifyBites holds that a stream with one wrong figure does not pass.
func TestVerifyBites(t *testing.T) {
	s := generate(t, "b10k", 1_000, 7)
	for name, harm := range map[string]func(*Stream){
		"record 700": func(s *Stream) { s.Ops[700].Trades++ },
		"trades=":    func(s *Stream) { s.Want.Trades++ },
		"volume=":    func(s *Stream) { s.Want.Volume++ },
		"checksum=":  func(s *Stream) { s.Want.Sum++ },
	} {
		harmed := *s
		harmed.Ops = slices.Clone(s.Ops)
		harm(&harmed)
		if _, err := harmed.Verify("x"); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: a harmed stream gives error %v", name, err)
		}
	}
	if _, err := s.Verify("x"); err != nil {
		t.Error(err)
	}
}

// TestOracleAgainstScan compares the oracle with a matcher that looks at every
// resting order for the best one.
func TestOracleAgainstScan(t *testing.T) {
	const seed = 7
	t.Log("seed", seed)
	s, err := Generate(Profile{"scan", 60, 12, 40, 25, 20, 15, 9, 40, 8, 10}, 20_000, seed)
	if err != nil {
		t.Fatal(err)
	}
	type resting struct {
		id    uint64
		side  Side
		price int64
		qty   uint32
	}
	var live []resting // in order of arrival
	got := NoTrades()
	for i := range s.Ops {
		o := s.Ops[i]
		if o.Kind >= Cancel {
			at := slices.IndexFunc(live, func(r resting) bool { return r.id == o.ID })
			if at < 0 {
				continue
			}
			live = slices.Delete(live, at, at+1)
			if o.Kind == Cancel {
				continue
			}
		}
		for o.Qty > 0 {
			best := -1
			for j, r := range live {
				crosses := r.side != o.Side && (o.Side == Buy && r.price <= o.Price || o.Side == Sell && r.price >= o.Price)
				if crosses && (best < 0 || o.Side == Buy && r.price < live[best].price || o.Side == Sell && r.price > live[best].price) {
					best = j
				}
			}
			if best < 0 {
				break
			}
			m := &live[best]
			traded := min(o.Qty, m.qty)
			got.Trade(o.ID, m.id, m.price, uint64(traded))
			o.Qty -= traded
			if m.qty -= traded; m.qty == 0 {
				live = slices.Delete(live, best, best+1)
			}
		}
		if o.Qty > 0 && o.Kind != IOC {
			live = append(live, resting{o.ID, o.Side, o.Price, o.Qty})
		}
	}
	if got != s.Want {
		t.Errorf("scan: %v, oracle: %v", got, s.Want)
	}
}

func TestChecksumByHand(t *testing.T) {
	r := NoTrades()
	if r.Sum.String() != "cbf29ce484222325" {
		t.Errorf("empty checksum is %v", r.Sum)
	}
	r.Trade(3, 1, 10, 5)
	a, b, c, d, h := uint64(0x9E3779B97F4A7C15), uint64(0xC2B2AE3D27D4EB4F), uint64(0x165667B19E3779F9), uint64(0xD6E8FEB86659FD93), uint64(Empty)
	x := 3*a ^ 1*b ^ 10*c ^ 5*d
	if want := (h ^ x) * 0x100000001b3; uint64(r.Sum) != want || r.Trades != 1 || r.Volume != 5 {
		t.Errorf("got %v, want checksum %016x", r, want)
	}
}

func TestProfileRefuses(t *testing.T) {
	good := Profiles()[0]
	for name, harm := range map[string]func(*Profile){
		"resting": func(p *Profile) { p.Resting = 1 }, "range": func(p *Profile) { p.Range = 0 },
		"max-qty": func(p *Profile) { p.MaxQty = 0 }, "max-ioc-qty": func(p *Profile) { p.MaxIOCQty = 1<<31 + 1 },
		"through": func(p *Profile) { p.Through = 100_001 }, "accounts": func(p *Profile) { p.Accounts = 0 },
		"percent": func(p *Profile) { p.Add++ },
	} {
		p := good
		harm(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	if _, err := Generate(good, 10, 0); err == nil {
		t.Error("seed 0 is accepted")
	}
	if _, err := Generate(good, 0, 1); err == nil {
		t.Error("no operations are accepted")
	}
	if _, err := Named("b1k"); err == nil {
		t.Error("an unknown profile is accepted")
	}
}

func TestConvertRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"N,0,0,5,0,10\nX,1\n":                        `line 2: found "X,1"`,
		"N,2,0,5,0,10\n":                             `line 1: side is "2", expected 0 to 1`,
		"N,0,7,5,0,10\n":                             `line 1: ioc is "7"`,
		"N,0,0,-5,0,10\n":                            `line 1: quantity is "-5"`,
		"N,0,0,5,0\n":                                `line 1: found`,
		"N,0,0,5,0,10,7\n":                           `line 1: more than 6 fields`,
		"C,x\n":                                      `line 1: order id is "x"`,
		"N,0,0,5,0,10\n\n":                           `line 2: found ""`,
		"N,0,0,5,0,10\nN,1,0,5,0,10\n":               `line 2: order id 0 was entered in line 1`,
		"N,0,0,5,90000,10\n":                         `end of file: largest id is 90000`,
		"N,0,0,99999999999,0,10\n":                   `line 1: quantity`,
		"M,0,1,99999999999999999999\n":               `line 1: price`,
		"C,0\n" + strings.Repeat("1", 70_000) + "\n": `line 2: `,
	} {
		_, err := Convert(strings.NewReader(text), "f.csv")
		if err == nil || !strings.HasPrefix(err.Error(), "f.csv: "+want) {
			t.Errorf("%.40q: error is %v, want f.csv: %s", text, err, want)
		}
	}
}

// TestReportsByHand holds the report text of every kind of answer.
func TestReportsByHand(t *testing.T) {
	text := "N,0,0,5,0,10\nN,1,1,9,1,10\nN,1,0,4,2,12\nM,2,3,11\nC,2\nC,2\nM,0,1,10\nN,0,1,1,3,10\n"
	s, err := Convert(strings.NewReader(text), "hand")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"0,0,0,0,10,5",
		"0,1,1,1,10,9", "1,1,10,5,0,1", "2,1,1,1,10",
		"0,2,1,2,12,4",
		"3,3,1,2,11,3",
		"2,4,1,2,11",
		"4,5,2",
		"5,6,0",
		"0,7,0,3,10,1", "2,7,0,3,10",
	}, "\n")
	if got, want := s.ReportHash(), fmt.Sprintf("%x", sha256.Sum256([]byte(want))); got != want {
		t.Errorf("report hash %s, want %s", got, want)
	}
}

// TestConvertReproducesConsensus holds the two recorded consensus streams, where
// they are at hand.
func TestConvertReproducesConsensus(t *testing.T) {
	for _, f := range []struct {
		file, reports, sha string
		rejects            uint64
		want               Result
	}{
		{"normal", "e9b2e3926854410b01a035aeb25dd05f1e597c233be8263de9eb49b6713d367e",
			"5e470c0ca55be0236a20dc3cfdbe561a2084981203d237e1928c026a1bf37019", 45949, Result{62474, 1793858, 0x5abecd0d1ca97923}},
		{"static", "9803843ee404fc29c9a0aa5614f8f0d5a58b5c44fcac9ef89067886fcaaa30d1",
			"91025ed2b674190536dcb88cbca39837606477776f2dedf0ebc9848cfc687754", 19377, Result{827, 24200, 0x725945ee250aeaab}},
	} {
		t.Run(f.file, func(t *testing.T) {
			path := filepath.Join("..", "..", "..", "shared", "data", "matching-consensus-flash1", f.file+"_seed23_1m.csv.bz2")
			if _, err := os.Stat(path); err != nil {
				t.Skip("recorded streams are not at hand")
			}
			if testing.Short() || f.file != "normal" && os.Getenv("LOCKSTEP_LONG") == "" {
				t.Skip("set LOCKSTEP_LONG=1 for every stream")
			}
			s, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if s.Want != f.want || len(s.Ops) != 1_996_097 || s.Counts() != [4]uint64{849766, 150234, 823422, 172675} {
				t.Errorf("got %d records %v %v, want %v", len(s.Ops), s.Counts(), s.Want, f.want)
			}
			h := sha256.New()
			if _, err := s.WriteTo(h); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%x", h.Sum(nil)); got != f.sha {
				t.Errorf("bytes hash to %s, want %s", got, f.sha)
			}
			if got := s.ReportHash(); got != f.reports {
				t.Errorf("reports hash to %s, want %s", got, f.reports)
			}
			if os.Getenv("LOCKSTEP_LONG") == "" {
				return
			}
			b, err := s.Verify(path)
			if err != nil || b.Rejects != f.rejects {
				t.Errorf("%d rejects, want %d; %v", b.Rejects, f.rejects, err)
			}
		})
	}
}

// TestOpIsARecord holds that an operation in memory is as large as in the file.
func TestOpIsARecord(t *testing.T) {
	if n := unsafe.Sizeof(Op{}); n != recordSize {
		t.Errorf("an Op is %d bytes, want %d", n, recordSize)
	}
}
