package local

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// checkProgram says why this machine cannot start a program.
func checkProgram(path string, info fs.FileInfo) error {
	if info.IsDir() {
		return blocked("", "%s is a folder, not a program", path)
	}
	if info.Mode().Perm()&0o111 == 0 {
		return blocked("make it executable (chmod +x)", "%s is not executable", path)
	}
	head, err := readHead(path)
	if err != nil {
		return err
	}
	target, known := targetOf(head)
	if !known || target.runsOn(runtime.GOOS, runtime.GOARCH) {
		return nil // a script, or what the system knows better
	}
	return blocked("build it for this machine", "%s was built for %s, and this machine is %s",
		path, target, target.contrast(runtime.GOOS, runtime.GOARCH))
}

func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 64)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return head[:n], nil
}

// target is what a program was built for. os is "linux" or "darwin"; arch is
// Go's name, or a description of what Go has none for; "" runs on any.
type target struct{ os, arch string }

func (t target) runsOn(os, arch string) bool {
	return t.os == os && (t.arch == arch || t.arch == "")
}

func (t target) String() string {
	arch := t.arch
	if name, ok := lambdaArchitectures[arch]; ok {
		arch = name
	}
	return arch + " " + systems[t.os]
}

// contrast is the host in the same form.
func (t target) contrast(os, arch string) string { return target{os: os, arch: arch}.String() }

var (
	// lambdaArchitectures are Lambda's names: a user knows those.
	lambdaArchitectures = map[string]string{"amd64": "x86_64"}
	systems             = map[string]string{"linux": "Linux", "darwin": "macOS"}
)

// targetOf reads the first bytes of an ELF or Mach-O file.
func targetOf(head []byte) (target, bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")) && len(head) >= 20:
		return elfTarget(head), true
	case bytes.HasPrefix(head, []byte{0xcf, 0xfa, 0xed, 0xfe}) && len(head) >= 8:
		return machTarget(binary.LittleEndian.Uint32(head[4:])), true
	case bytes.HasPrefix(head, []byte{0xca, 0xfe, 0xba, 0xbe}) && len(head) >= 8 && head[7] < 20:
		return target{os: "darwin"}, true // several architectures in one
	}
	return target{}, false
}

// elfTarget reads e_ident and e_machine.
func elfTarget(head []byte) target {
	var order binary.ByteOrder = binary.LittleEndian
	if head[5] == 2 {
		order = binary.BigEndian
	}
	machine := order.Uint16(head[18:])
	arch, ok := map[uint16]string{3: "386", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64"}[machine]
	if !ok {
		arch = fmt.Sprintf("ELF machine %d", machine)
	}
	return target{os: "linux", arch: arch}
}

// machTarget reads the CPU type.
func machTarget(cpu uint32) target {
	arch, ok := map[uint32]string{0x01000007: "amd64", 0x0100000c: "arm64"}[cpu]
	if !ok {
		arch = fmt.Sprintf("Mach-O CPU %#x", cpu)
	}
	return target{os: "darwin", arch: arch}
}
