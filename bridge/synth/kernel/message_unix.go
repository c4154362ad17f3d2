//go:build unix

package kernel

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// request is what is asked of the background process: a line of JSON.
type request struct {
	// Op is "take", "status" or "stop".
	Op  string
	Key string // of the kernel, for "take"
	// Order is what a kernel is told when it is taken.
	Order *order `json:",omitempty"`
}

type order struct {
	CWD   string            `json:"cwd"`
	Umask int               `json:"umask"`
	Env   map[string]string `json:"env"`
	// Modules is the file that gets the names of the modules that the synth has
	// loaded when it ends.
	Modules string `json:"modules"`
}

// reply is its answer. That to "take" brings the kernel's channel and its two
// streams with it.
type reply struct {
	Error  string  `json:",omitempty"` // why there is no kernel
	Hello  string  `json:",omitempty"` // jsii's first line
	Status *Status `json:",omitempty"`
}

// Status says how the background process is.
type Status struct {
	// PID is its process id, KernelPID that of the waiting kernel, or 0.
	PID, KernelPID int
	// Key names the versions that it serves.
	Key string
	// State of the kernel: "ready", "loading", "none" or "failed".
	State string
	// Error is why the last kernel failed.
	Error string `json:",omitempty"`
	// Served counts the kernels that were handed over.
	Served int
	// Started is when the process began, Idle since when nobody asked it.
	Started, Idle time.Time
	// Packages are what the kernel has loaded, Runtime and Node what runs it.
	Packages      []Package
	Runtime, Node string
	// Index tells whether jsii's runtime index is in place.
	Index bool
}

// dial connects to the background process, if there is any.
func dial(folder string) (*net.UnixConn, error) {
	return net.DialUnix("unix", nil, &net.UnixAddr{Name: socketPath(folder), Net: "unix"})
}

// ask sends a request and waits for the answer, at most for the time given.
func ask(folder string, r request, wait time.Duration) (reply, []*os.File, error) {
	conn, err := dial(folder)
	if err != nil {
		return reply{}, nil, err
	}
	defer conn.Close() //nolint:errcheck // all is said by then
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return reply{}, nil, err
	}
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return reply{}, nil, err
	}
	return receive(conn)
}

// receive reads one answer, with the files that come with it.
func receive(conn *net.UnixConn) (answer reply, files []*os.File, err error) {
	text, rights := make([]byte, 64<<10), make([]byte, syscall.CmsgSpace(3*4))
	n, m, _, _, err := conn.ReadMsgUnix(text, rights)
	if err != nil {
		return answer, nil, err
	}
	if n == 0 {
		return answer, nil, io.ErrUnexpectedEOF
	}
	messages, err := syscall.ParseSocketControlMessage(rights[:m])
	if err != nil {
		return answer, nil, err
	}
	for _, message := range messages {
		fds, err := syscall.ParseUnixRights(&message)
		if err != nil {
			return answer, nil, err
		}
		for _, fd := range fds {
			syscall.CloseOnExec(fd)
			if err := syscall.SetNonblock(fd, true); err != nil { // for Go's own scheduler
				return answer, nil, err
			}
			files = append(files, os.NewFile(uintptr(fd), "kernel"))
		}
	}
	return answer, files, json.Unmarshal(text[:n], &answer)
}

// send answers. The files go with it.
func send(conn *net.UnixConn, answer reply, files ...*os.File) error {
	text, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	var rights []byte
	if len(files) > 0 {
		var fds []int
		for _, f := range files {
			raw, err := f.SyscallConn()
			if err != nil {
				return err
			}
			if err := raw.Control(func(fd uintptr) { fds = append(fds, int(fd)) }); err != nil {
				return err
			}
		}
		rights = syscall.UnixRights(fds...)
	}
	n, _, err := conn.WriteMsgUnix(text, rights, nil)
	if err == nil && n < len(text) {
		err = io.ErrShortWrite
	}
	return err
}

// ErrNone says that no background process runs.
var ErrNone = errors.New("no kernel is kept")

// Ask returns the status of the background process. The error is [ErrNone] where
// there is none.
func Ask() (*Status, error) {
	folder, err := Folder()
	if err != nil {
		return nil, err
	}
	answer, _, err := ask(folder, request{Op: "status"}, time.Second)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrNone
	}
	if err == nil && answer.Status == nil {
		err = errors.New("the process that keeps the kernel has no status: stop it with: bailey kernel stop")
	}
	return answer.Status, err
}

// Stop ends the background process and the kernel that it keeps. A kernel that a
// synth has is left alone. The error is [ErrNone] where there was none.
func Stop() error {
	folder, err := Folder()
	if err != nil {
		return err
	}
	_, _, err = ask(folder, request{Op: "stop"}, 5*time.Second)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return ErrNone
	}
	return err
}
