package eventfork

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/nag"
	"github.com/bailey-cdk/bailey/constructs/internal/props"
	"github.com/bailey-cdk/bailey/constructs/serverless"
	"github.com/bailey-cdk/bailey/internal/fork"
)

// Props defines a [Fork]. All of it may be left out: the fork is then of a
// standard SNS topic of its own, without branches.
type Props struct {
	// Branches are what becomes of the events. The keys are construct ids.
	Branches Branches

	// Topic is used instead of one of the fork's own. A topic of another stack
	// must let this account subscribe.
	Topic awssns.ITopic
	// Bus makes the fork of an EventBridge bus. Each branch is a rule then.
	Bus awsevents.IEventBus
	// Fifo makes a FIFO topic: it keeps the order of a group and drops
	// duplicates.
	Fifo bool
	// ContentBasedDeduplication takes FIFO messages with the same body for one.
	ContentBasedDeduplication bool
	// TopicName is the physical name; CloudFormation makes one by default. That
	// of a FIFO topic ends with ".fifo".
	TopicName string
	// EncryptionKey encrypts the topic and the queues instead of the keys that
	// SNS and SQS manage. S3, CloudWatch and EventBridge can publish only to a
	// topic with a key of yours, whose policy must let them. The key's policy is
	// extended for SNS and EventBridge.
	EncryptionKey awskms.IKey

	// Record keeps the events that branches gave up.
	Record Record
	// DisableRecord leaves them in the branches' dead-letter queues, where they
	// stay 14 days.
	DisableRecord bool

	// AlarmTopic is told of every alarm. By default the alarms are seen in
	// CloudWatch alone.
	AlarmTopic awssns.ITopic
	// DisableAlarms makes no alarms.
	DisableAlarms bool
	// DisableIdempotency gives the functions of branches no table in which to
	// remember what they have handled.
	DisableIdempotency bool
}

// Branches are the branches of a fork by construct id.
type Branches map[string]Destination

// Destination is what becomes of a branch's events: a [Storage], [Search],
// [Replay] or [Branch].
type Destination interface {
	// check finds what is wrong with the props, before anything is made.
	check(f *Fork) []string
	// grow makes the branch.
	grow(b *branch)
	filter() Filter
}

// Fork sends each event that is published to all of its branches. It is a
// [constructs.Construct]; the topic or bus is below it.
type Fork struct {
	constructs.Construct

	// Topic is where events are published, nil if the fork is of a bus.
	Topic awssns.ITopic
	// Bus is where events are put, nil if the fork is of a topic.
	Bus awsevents.IEventBus

	faults   *props.Faults
	props    Props
	branches map[string]*branch
	record   *record
	handled  *serverless.Table
	logs     awss3.IBucket
	usedKey  map[string]bool
}

// New adds a fork to scope.
//
// Mistakes in props are reported by synth, all of them together, each with the
// construct path and the line of the call; a branch that has one is left out. A
// nil scope panics: there would be nothing to report it on.
func New(scope constructs.Construct, id string, p Props) *Fork {
	f := &Fork{faults: props.NewFaults(scope, id), props: p, branches: map[string]*branch{}, usedKey: map[string]bool{}}
	f.check()
	if problem := props.TakenID(scope, id); problem != "" {
		f.faults.Add("%s", problem)
		id = props.FreeID(scope, id)
	}
	constructs.NewConstruct_Override(f, scope, &id)
	f.faults.Attach(f)
	if !f.faults.Try(f.source) {
		f.Node().TryRemoveChild(jsii.String("Topic"))
		f.Topic, f.props.EncryptionKey = awssns.NewTopic(f, jsii.String("Topic"), nil), nil
	}
	ids := slices.Sorted(maps.Keys(p.Branches))
	// Replays come last, since they lead to other branches.
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(rank(p.Branches[a]), rank(p.Branches[b])) })
	for _, id := range ids {
		f.addBranch(id, p.Branches[id])
	}
	return f
}

func rank(d Destination) int {
	if _, replay := d.(Replay); replay {
		return 1
	}
	return 0
}

// AddBranch adds a branch. Its id is unique in the fork.
func (f *Fork) AddBranch(id string, d Destination) {
	f.faults.Position = props.Position()
	f.addBranch(id, d)
}

// ToString is overridden only because jsii takes a Go type as a subclass when it
// overrides something.
func (f *Fork) ToString() *string { return f.Construct.ToString() }

var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}(\.fifo)?$`)

// check reports what is wrong with the fork itself, and repairs it.
func (f *Fork) check() {
	p := &f.props
	found := props.NilPointers(p)
	own := p.Topic == nil && p.Bus == nil
	if p.Topic != nil && p.Bus != nil {
		found = append(found, "Topic and Bus are both set: a fork is of one of them")
		p.Bus = nil
	}
	for _, o := range []struct {
		name string
		set  bool
	}{{"Fifo", p.Fifo}, {"ContentBasedDeduplication", p.ContentBasedDeduplication}, {"TopicName", p.TopicName != ""}} {
		if o.set && !own {
			found = append(found, fmt.Sprintf("%s is set, and the topic or bus is one of yours: set it there", o.name))
		}
	}
	if own && p.ContentBasedDeduplication && !p.Fifo {
		found = append(found, "ContentBasedDeduplication needs Fifo")
		p.ContentBasedDeduplication = false
	}
	if n := p.TopicName; own && n != "" && !props.IsToken(n) && (!topicName.MatchString(n) || p.Fifo != hasFifoSuffix(n)) {
		found = append(found, fmt.Sprintf("TopicName %q is none: use at most 256 letters, digits, - and _, and the ending .fifo for a FIFO topic alone", n))
		p.TopicName = ""
	}
	found = append(found, p.Record.check(p.DisableRecord)...)
	for _, problem := range found {
		f.faults.Add("%s", problem)
	}
}

func hasFifoSuffix(name string) bool { return len(name) > 5 && name[len(name)-5:] == ".fifo" }

// source makes the topic, or takes what the props give.
func (f *Fork) source() {
	f.Topic, f.Bus = f.props.Topic, f.props.Bus
	if f.Topic != nil || f.Bus != nil {
		return
	}
	topic := awssns.NewTopic(f, jsii.String("Topic"), &awssns.TopicProps{
		TopicName:                 props.Optional(f.props.TopicName),
		Fifo:                      props.OptionalTrue(f.props.Fifo),
		ContentBasedDeduplication: props.OptionalTrue(f.props.ContentBasedDeduplication),
		EnforceSSL:                jsii.Bool(true),
		MasterKey:                 f.props.EncryptionKey,
	})
	if f.props.EncryptionKey == nil {
		// The key that AWS manages for SNS: whoever may publish may use it.
		topic.Node().DefaultChild().(awssns.CfnTopic).SetKmsMasterKeyId(jsii.String("alias/aws/sns"))
	}
	f.Topic = topic
}

// fifo tells whether the fork's own or given topic is a FIFO topic.
func (f *Fork) fifo() bool {
	return f.Topic != nil && f.Topic.Fifo() != nil && *f.Topic.Fifo()
}

var branchID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// reserved are the ids of the fork's own children.
var reserved = []string{"Topic", "Record", "Handled", "AccessLogs"}

func (f *Fork) addBranch(id string, d Destination) {
	if props.IsNil(d) {
		f.faults.Add("branch %q is nil: remove it from Branches", id)
		return
	}
	switch {
	case !branchID.MatchString(id):
		f.faults.Add("the branch id %q can't be part of names: use at most 64 letters, digits, - and _, and begin with a letter or digit", id)
		return
	case slices.Contains(reserved, id):
		f.faults.Add("the branch id %q is that of a part of the fork: choose another", id)
		return
	case f.branches[id] != nil:
		f.faults.Add("the branch id %q is used twice: choose another", id)
		return
	}
	failed := false
	f.faults.About(fmt.Sprintf("branch %q", id), func() {
		problems := d.check(f)
		for _, problem := range append(problems, d.filter().check(f.Bus != nil)...) {
			f.faults.Add("%s", problem)
			failed = true
		}
	})
	if failed {
		return
	}
	f.faults.About(fmt.Sprintf("branch %q", id), func() {
		b := &branch{scope: constructs.NewConstruct(f, &id), fork: f, id: id, matches: d.filter()}
		f.branches[id] = b
		d.grow(b)
		b.watch()
		f.keep(b)
	})
}

// table is where the functions of branches remember what they have handled.
func (f *Fork) table() *serverless.Table {
	if f.handled == nil {
		f.handled = serverless.NewTable(f, "Handled", serverless.TableProps{
			PartitionKey: "id", TimeToLive: "expires", EncryptionKey: f.props.EncryptionKey,
			// What it knows is worth nothing without the events.
			RemovalPolicy: destroy,
		})
	}
	return f.handled
}

// accessLogs is the bucket for the access logs of the fork's buckets.
func (f *Fork) accessLogs() awss3.IBucket {
	if f.logs == nil {
		bucket := newBucket(f, "AccessLogs", bucketProps{expire: accessLogRetention})
		nag.Suppress(bucket, "AwsSolutions-S1", "This bucket holds the access logs of the others. Logging access to it into itself would write a log for every log.")
		f.logs = bucket
	}
	return f.logs
}

// serviceKey lets a service use the key of the fork, for the queue of a branch.
func (f *Fork) useKey(service string) {
	key := f.props.EncryptionKey
	if key == nil || f.usedKey[service] {
		return
	}
	f.usedKey[service] = true
	key.AddToResourcePolicy(statement(service, []string{"kms:Decrypt", "kms:GenerateDataKey*"}, "*"), jsii.Bool(true))
}

// deadLetters is the environment variable of a function that takes messages of
// the branch's queue.
func (b *branch) deadLettersVariable(queue *serverless.Queue) (name, value string) {
	dead := queue.DeadLetterQueue()
	return fork.DeadLettersPrefix + variable(*b.Node().Path()), fork.DeadLetters{
		QueueARN: *queue.QueueArn(), URL: *dead.Queue.QueueUrl(), MaxReceiveCount: int(*dead.MaxReceiveCount),
	}.String()
}

var noVariable = regexp.MustCompile(`[^A-Za-z0-9]+`)

// variable makes a path part of an environment variable's name.
func variable(path string) string { return noVariable.ReplaceAllString(path, "_") }
