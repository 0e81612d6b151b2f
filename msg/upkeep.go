package msg

// Upkeep is what a node says in its own sequence: how its replay is to be checked, what its disk can still take, and when it rests.
// Nobody else has a right to these commands; a node takes them from its own lane only.

// Checkpoint is what a KindCheckpoint says and a Checkpointed repeats.
type Checkpoint struct {
	Upto Seq    // a command before this one
	Hash uint64 // of all events up to and with those of that command, by Event.Hash into one fixed.Digest
}

// SetCheckpoint states the hash of what was told so far. It changes nothing; a replay compares.
func SetCheckpoint(c Checkpoint) Command {
	return Command{Request: Request{Kind: KindCheckpoint, Rare: Rare{uint64(c.Upto), c.Hash}}}
}

// Checkpoint is that of a KindCheckpoint.
func (r *Request) Checkpoint() Checkpoint { return Checkpoint{Seq(r.Rare[0]), r.Rare[1]} }

// Storage is how much room the disk of the journal has.
type Storage uint8

const (
	StorageNormal Storage = iota
	StorageSoft           // little: orders that add risk are refused as StorageReduceOnly
	StorageHard           // none: besides, the node takes nothing more into the sequence until there is some
	storageEnd
)

// SetStorage states how much room there is.
func SetStorage(s Storage) Command {
	return Command{Request: Request{Kind: KindSetStorage, Rare: Rare{uint64(s)}}}
}

// Storage is that of a KindSetStorage.
func (r *Request) Storage() Storage { return Storage(r.Rare[0]) }

// StorageStep is what a StorageChanged adds.
type StorageStep struct{ From, To Storage }

// SetStorageStep writes s as line 2.
func (e *Event) SetStorageStep(s StorageStep) { e.Rare = Rare{uint64(s.From), uint64(s.To)} }

// StorageStep is the step of a StorageChanged.
func (e *Event) StorageStep() StorageStep { return StorageStep{Storage(e.Rare[0]), Storage(e.Rare[1])} }

// Maintain is a moment at which everyone who runs this sequence rests and puts his house in order. It changes nothing.
func Maintain() Command { return Command{Request: Request{Kind: KindMaintain}} }

// Own reports whether a command is a node's own.
func (k Kind) Own() bool { return k >= firstOwn && k <= lastOwn }

// Own reports whether an event answers a command that is a node's own.
func (k EventKind) Own() bool { return k == Checkpointed || k == StorageChanged || k == Maintained }

// appendUpkeep writes line 2.
func (r *Request) appendUpkeep(dst []byte) []byte {
	switch r.Kind {
	case KindCheckpoint:
		dst = r.Checkpoint().append(dst)
	case KindSetStorage:
		dst = appendWord(dst, " to=", r.Storage().String())
	default:
		dst = r.appendSession(dst)
	}
	return dst
}

// appendUpkeep writes line 2.
func (e *Event) appendUpkeep(dst []byte) []byte {
	asked := Request{Rare: e.Rare}
	switch e.Kind {
	case Checkpointed:
		dst = asked.Checkpoint().append(dst)
	case StorageChanged:
		s := e.StorageStep()
		dst = appendSteps(dst, s.From, s.To)
	default:
		dst = e.appendSession(dst)
	}
	return dst
}

// append writes the checkpoint.
func (c Checkpoint) append(dst []byte) []byte {
	dst = appendUint(dst, " upto=", c.Upto)
	dst = append(dst, " hash="...)
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[c.Hash>>shift&15])
	}
	return dst
}

func (s Storage) String() string { return word(storageNames[:], "storage", uint64(s)) }
