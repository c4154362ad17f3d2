//go:build unix

package local

import (
	"errors"
	"io"
	"net/http"
)

// streamedResponse takes a response piece by piece, as the runtime sends it.
func (i *instance) streamedResponse(w http.ResponseWriter, r *http.Request, id string, s *stream) {
	contentType := r.Header.Get("Content-Type")
	if !s.begin(contentType) {
		refuseRequestID(w)
		return
	}
	copied, err := copyPieces(s, r.Body, maxStreamed)
	if err == nil && copied > maxStreamed {
		err = errTooLarge
		i.settle(id, tooLargeFailure())
	}
	if err != nil {
		refuseUnread(w, err)
		return
	}
	a := answer{contentType: contentType}
	if failure, failed := streamFailure(r.Trailer); failed {
		a = failure
	}
	if !i.settle(id, a) {
		refuseRequestID(w)
		return
	}
	accept(w)
}

// copyPieces copies at most limit bytes, each piece as it comes. A reader that
// has gone is the function's affair no more than on Lambda: it is heard to its
// end.
func copyPieces(to io.Writer, from io.Reader, limit int64) (int64, error) {
	buffer := make([]byte, 32<<10)
	var total int64
	gone := false
	for {
		n, err := from.Read(buffer)
		total += int64(n)
		if n > 0 && !gone && total <= limit {
			_, failed := to.Write(buffer[:n])
			gone = failed != nil
		}
		switch {
		case errors.Is(err, io.EOF):
			return total, nil
		case err != nil:
			return total, err
		}
	}
}
