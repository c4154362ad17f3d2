package websocket

import (
	"bufio"
	"encoding/binary"
	"net"
	"net/http"
	"sync/atomic"
)

// frameWatch looks at the headers of the frames that a client sends, on their
// way to the WebSocket library, which joins frames to messages and tells no
// size of them. API Gateway has a limit for the single frame.
type frameWatch struct {
	net.Conn
	header  []byte // of the frame whose header is not whole yet
	payload uint64 // what is left of the frame's payload

	messages int64        // messages that are whole
	tooLarge atomic.Int64 // one more than the number of the first message with a frame over the limit
}

// Read passes bytes on and follows the frames in them.
func (w *frameWatch) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.follow(p[:n])
	return n, err
}

func (w *frameWatch) follow(data []byte) {
	for len(data) > 0 {
		if w.payload > 0 {
			n := min(w.payload, uint64(len(data)))
			w.payload -= n
			data = data[n:]
			continue
		}
		w.header = append(w.header, data[0])
		data = data[1:]
		if size, whole := frameSize(w.header); whole {
			w.begin(w.header[0], size)
			w.header = w.header[:0]
		}
	}
}

// begin takes note of a frame whose header is whole.
func (w *frameWatch) begin(first byte, size uint64) {
	const control, fin = 0x8, 0x80
	w.payload = size
	if first&control != 0 {
		return
	}
	if size > maxFrame {
		w.tooLarge.CompareAndSwap(0, w.messages+1)
	}
	if first&fin != 0 {
		w.messages++
	}
}

// frameSize is the length of the payload that follows a header, if that is
// whole. A header has two bytes, then the length where it is over 125, then
// the client's mask.
func frameSize(header []byte) (size uint64, whole bool) {
	if len(header) < 2 {
		return 0, false
	}
	length, extended := uint64(header[1]&0x7f), 0
	switch length {
	case 126:
		extended = 2
	case 127:
		extended = 8
	}
	mask := 0
	if header[1]&0x80 != 0 {
		mask = 4
	}
	if len(header) < 2+extended+mask {
		return 0, false
	}
	switch extended {
	case 2:
		length = uint64(binary.BigEndian.Uint16(header[2:]))
	case 8:
		length = binary.BigEndian.Uint64(header[2:])
	}
	return length, true
}

// exceeded says whether message n, counted from 0, has a frame over the limit
// so far.
func (w *frameWatch) exceeded(n int64) bool {
	found := w.tooLarge.Load()
	return found != 0 && found <= n+1
}

// watched is a response writer whose connection is watched once it is taken
// over.
type watched struct {
	http.ResponseWriter
	frames *frameWatch
}

// Hijack gives the connection with the watch in front. What the server has
// read beyond the handshake is followed at once; nothing can be before the
// handshake was answered, but for clients that do not wait.
func (w *watched) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, err := buffered.Peek(buffered.Reader.Buffered())
	if err != nil {
		return nil, nil, err
	}
	w.frames.Conn = conn
	w.frames.follow(early)
	return w.frames, buffered, nil
}
