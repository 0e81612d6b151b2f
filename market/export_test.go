package market

// Fading are the factors of the basis, for the test that computes them anew.
var Fading = fading

// Trades is how many instants the window tells apart now.
func (m *Marker) Trades() uint16 { return m.count }
