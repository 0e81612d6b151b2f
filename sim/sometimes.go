package sim

// Sometimes assertions count rare states (D-67). One that no seed of a long run has reached says that the run has not looked
// where it should: the simulator fails, though nothing was found.

type sometimes int

const (
	recoveries sometimes = iota
	powerLosses
	crashInCall
	faultInRecovery
	faultWhileRolling
	tornTail
	recoveredMany
	failedStart
	storageErrors
	failedSync
	rolledOver
	batchOfOne
	stalledLoop
	stalledJournal
	softMark
	hardMark
	roomAgain
	ranAhead
	clockRanBack
	rivalRefused
	damageRefused
	damageAmbiguous
	damageHarmless
	resentUnknown
	duplicateRefused
	resolvedByResume
	busyLane
	tableFull
	sessionRefused
	keptPlace
	lostPlace
	selfTrade
	expired
	massCanceled
	isolated
	funded
	venueKilled
	resumed
	restoredSnapshot
	passedSnapshot
	shadowFailed
	freedSegments
	checkpointed
	storageRefused
	liquidated
	takenOver
	deleveraged
	examinedLater
	keptWaiting
	shortRead
	blockedLink
	slowReader
	recalled
	sentAgain
	cutInFrame
	numbersMissed
	notApplied
	tookOver
	boundAgain
	boundInGrace
	graceEnded
	canceledByLoss
	answeredElsewhere
	deadMan
	sessionFinished
	logonFailed
	logonRefused
	sessionOver
	idleClient
	shownOut
	slowCut
	flawed
	flooded
	quoted
	quoteCut
	intruded
	sometimesCount
)

var sometimesNames = [sometimesCount]string{
	recoveries: "recovered", powerLosses: "power lost", crashInCall: "ended inside a call of the disk",
	faultInRecovery: "fault inside a recovery", faultWhileRolling: "fault while a segment was begun", tornTail: "torn tail cut",
	recoveredMany: "more than 1000 commands recovered", failedStart: "start failed with the disk",
	storageErrors: "ended by an error of the disk", failedSync: "sync failed", rolledOver: "segment begun", batchOfOne: "batch of one command",
	stalledLoop: "hot loop stalled", stalledJournal: "journal without a spare", softMark: "soft mark", hardMark: "hard mark",
	roomAgain: "storage normal again", ranAhead: "ended with commands that were not durable", clockRanBack: "clock ran back",
	rivalRefused: "second process refused", damageRefused: "damage refused", damageAmbiguous: "damage of the last frame taken for a tear",
	damageHarmless: "damage where nothing is kept", resentUnknown: "unknown outcome asked again", duplicateRefused: "resent client id refused",
	resolvedByResume: "outcome learnt from a recovery", busyLane: "lane full", tableFull: "table full", sessionRefused: "session refused",
	keptPlace: "amend kept its place", lostPlace: "amend lost its place", selfTrade: "self-trade prevented", expired: "order expired",
	massCanceled: "mass cancel done", isolated: "isolated margin moved", funded: "funding paid", venueKilled: "kill switch canceled orders",
	resumed: "resumed from a snapshot", checkpointed: "checkpoint sequenced",
	restoredSnapshot: "recovered from a snapshot", passedSnapshot: "older snapshot taken instead", shadowFailed: "snapshot failed with the disk",
	freedSegments: "segments freed",
	liquidated:    "liquidation slice", takenOver: "taken over by the fund", deleveraged: "winners deleveraged",
	examinedLater: "pools examined by a later command", keptWaiting: "snapshot taken while work was left over",
	storageRefused: "order refused since the disk is full",
	shortRead:      "frame read in pieces", blockedLink: "link waited for room or an answer", slowReader: "socket full",
	recalled: "old reports brought about again", sentAgain: "reports sent again", cutInFrame: "cut with bytes under way",
	numbersMissed: "numbers of a client missed", notApplied: "client told of what never came", tookOver: "session taken over",
	boundAgain: "session bound again", boundInGrace: "bound again within the grace", graceEnded: "grace over",
	canceledByLoss: "order canceled by a lost connection", deadMan: "dead-man expired",
	answeredElsewhere: "canceled or replaced an order of another session", sessionFinished: "session finished",
	logonFailed: "logon without proof", logonRefused: "logon refused", sessionOver: "session given up by its client",
	idleClient: "silent client shown out", shownOut: "client shown out by its successor", slowCut: "slow reader shown out",
	flawed: "too many format errors", flooded: "flood shown out",
	quoted: "mass quote", quoteCut: "mass quote cut by a restart", intruded: "somebody past the gateway",
}

func (s sometimes) String() string { return sometimesNames[s] }

// note counts s where it was reached.
func (w *world) note(s sometimes, here bool) {
	if here {
		w.reached[s]++
	}
}
