package msg

// Ids are distinct types; zero is "none" in all of them.
type (
	// Seq is a place in the one order of commands; the first is 1 and there is no gap.
	Seq uint64
	// OrderID is generation<<32 | handle: the row of the order and how often the row has been reused.
	OrderID uint64
	// TradeID numbers the trades of an engine from 1; maker and taker share it.
	TradeID uint64
	// Ref is the client's own id of a command, strictly increasing in its session.
	Ref uint64
	// AccountID names an account and is the row of its record.
	AccountID uint32
	// InstrumentID names an instrument and is the row of its record.
	InstrumentID uint32
	// UnderlyingID names what an index is the price of, and is the row of its record.
	UnderlyingID uint16
	// OwnerID names the legal entity behind accounts: caps and self-trade prevention apply to it.
	OwnerID uint32
	// SessionID names the door by which a command came; 0 is the embedder's own.
	SessionID uint16
)

// Handle is the row of the order.
func (id OrderID) Handle() uint32 { return uint32(id) }

// Generation is how often the row of the order had been freed when the order took it.
func (id OrderID) Generation() uint32 { return uint32(id >> 32) }

// FundAccount stands in events for the insurance fund, which is no account.
const FundAccount AccountID = 1<<32 - 1
