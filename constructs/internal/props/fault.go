package props

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
)

// Faults gathers what is wrong with one construct, so that a synth shows all
// mistakes of an app at once. A panic would show the first, with the stack of
// the jsii kernel instead of the user's line.
type Faults struct {
	// Path is the construct's, Position the user's "file.go:line".
	Path     string
	Position string
	subject  string // what of the construct is being made, `event "Place": `
	node     constructs.IConstruct
	waiting  []string // those found before the construct was made
}

// NewFaults begins the making of the construct id in scope. It must be called
// by the exported function that the user called, or below it.
func NewFaults(scope constructs.Construct, id string) *Faults {
	f := &Faults{Position: Position()}
	if IsNil(scope) {
		// Without a scope there is no tree to record anything in, and the
		// construct would silently be missing from the app.
		panic(fmt.Sprintf("%s: the construct %q has no scope: pass the stack that it belongs to", f.Position, id))
	}
	f.Path = strings.Trim(*scope.Node().Path()+"/"+id, "/")
	return f
}

// Add records a fault: what is wrong, then what would fix it, in lower case and
// without a period at the end.
func (f *Faults) Add(format string, args ...any) {
	message := fmt.Sprintf("%s: %s: %s%s", f.Position, f.Path, f.subject, fmt.Sprintf(format, args...))
	if f.node == nil {
		f.waiting = append(f.waiting, message)
		return
	}
	awscdk.Annotations_Of(f.node).AddError(&message)
}

// Attach names the construct that the faults belong to. Those found before are
// recorded on it, as later ones are when they are added.
func (f *Faults) Attach(node constructs.IConstruct) {
	f.node = node
	for _, message := range f.waiting {
		awscdk.Annotations_Of(node).AddError(&message)
	}
	f.waiting = nil
}

// Try runs do and records its panic as a fault. It tells whether there was
// none.
func (f *Faults) Try(do func()) bool {
	err := attempt(do)
	if err != nil {
		f.Add("%s", err)
	}
	return err == nil
}

// About is try for a part of the construct, which the messages then name.
func (f *Faults) About(subject string, do func()) {
	f.subject = subject + ": "
	defer func() { f.subject = "" }()
	f.Try(do)
}

// attempt turns a panic into an error: jsii knows no other way to say that the
// CDK refused something.
func attempt(do func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the CDK refuses it: %s", kernelMessage(fmt.Sprint(r)))
		}
	}()
	do()
	return nil
}

// kernelMessage takes what the CDK meant out of a jsii error, which is the
// message behind the names of several JavaScript classes, and a stack behind it.
func kernelMessage(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	for {
		name, rest, found := strings.Cut(text, ": ")
		class := strings.HasPrefix(name, "@jsii/") || strings.HasSuffix(name, "Error")
		if !found || !class || strings.Contains(name, " ") {
			return strings.TrimSuffix(strings.TrimSpace(text), ".")
		}
		text = rest
	}
}

// home is the prefix of the functions of our construct packages, which are
// never the place of a mistake.
const home = "github.com/bailey-cdk/bailey/constructs/"

// Position is the first place on the stack outside our construct packages, as
// "app/storefront.go:41", relative to the working folder where it lies below.
func Position() string {
	var counters [64]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(2, counters[:])])
	for {
		frame, more := frames.Next()
		ours := strings.HasPrefix(frame.Function, home) && !strings.HasSuffix(frame.File, "_test.go")
		if frame.File != "" && !ours {
			return fmt.Sprintf("%s:%d", relative(frame.File), frame.Line)
		}
		if !more {
			return "unknown position"
		}
	}
}

func relative(file string) string {
	folder, err := os.Getwd()
	if err != nil {
		return file
	}
	short, err := filepath.Rel(folder, file)
	if err != nil || strings.HasPrefix(short, "..") {
		return file
	}
	return filepath.ToSlash(short)
}
