package sqs

// ring is a first-in first-out queue that keeps no more room than it needs.
type ring[T any] struct {
	items []T
	head  int
	size  int
}

func (r *ring[T]) push(item T) {
	if r.size == len(r.items) {
		r.resize(max(16, 2*r.size))
	}
	r.items[(r.head+r.size)%len(r.items)] = item
	r.size++
}

func (r *ring[T]) peek() (item T, ok bool) {
	if r.size == 0 {
		return item, false
	}
	return r.items[r.head], true
}

func (r *ring[T]) pop() (item T, ok bool) {
	item, ok = r.peek()
	if !ok {
		return item, false
	}
	var none T
	r.items[r.head] = none
	r.head = (r.head + 1) % len(r.items)
	r.size--
	if len(r.items) > 1024 && r.size < len(r.items)/4 {
		r.resize(len(r.items) / 2)
	}
	return item, true
}

func (r *ring[T]) resize(n int) {
	items := make([]T, n)
	for i := range r.size {
		items[i] = r.items[(r.head+i)%len(r.items)]
	}
	r.items, r.head = items, 0
}

// timed is a heap of messages by the time that they become visible, and then
// in order. Each knows its place.
type timed []*message

func (h timed) less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].seq < h[j].seq
}

func (h timed) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = int32(i), int32(j) //nolint:gosec // fewer than 2^31 messages fit in memory
}

func (h *timed) push(m *message) {
	m.index = int32(len(*h)) //nolint:gosec // as above
	*h = append(*h, m)
	h.up(len(*h) - 1)
}

func (h *timed) pop() *message {
	m := (*h)[0]
	h.remove(m)
	return m
}

func (h *timed) remove(m *message) {
	i, last := int(m.index), len(*h)-1
	if i != last {
		h.swap(i, last)
	}
	(*h)[last] = nil
	*h = (*h)[:last]
	m.index = -1
	if i < last && !h.down(i) {
		h.up(i)
	}
}

func (h timed) up(i int) {
	for i > 0 && h.less(i, (i-1)/2) {
		h.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (h timed) down(i int) (moved bool) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(h) && h.less(child, least) {
				least = child
			}
		}
		if least == i {
			return moved
		}
		h.swap(i, least)
		i, moved = least, true
	}
}
