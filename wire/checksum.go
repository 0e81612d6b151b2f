package wire

// OrderSum is what a resting order adds to the checksum of its instrument's book (SnapshotEnd): price and quantity as they
// stand on the wire, priority the number of the record that gave it its place. The checksum is the sum over all orders modulo
// 2^64, so it does not depend on their order and can be kept up record by record.
//
//	m(z):  z += 0x9E3779B97F4A7C15; z = (z ^ z>>30) * 0xBF58476D1CE4E5B9; z = (z ^ z>>27) * 0x94D049BB133111EB; z ^ z>>31
//	sum = m(m(m(m(orderId) ^ price) ^ qty) ^ priority)
func OrderSum(order uint64, price, qty int64, priority uint64) uint64 {
	return mix(mix(mix(mix(order)^uint64(price))^uint64(qty)) ^ priority)
}

// mix is a step of splitmix64.
func mix(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
