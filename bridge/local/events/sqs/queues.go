package sqs

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/internal/lazyregexp"
)

var queueName = lazyregexp.New(`^[A-Za-z0-9_-]{1,80}$`)

func checkQueueName(name string) *service.Error {
	if name == "" {
		return missing("QueueName")
	}
	if len(name) > 80 || !queueName.MatchString(strings.TrimSuffix(name, ".fifo")) {
		return errorf("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return nil
}

// permit takes a permission, which nothing is made of.
func (s *Service) permit(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	if _, e := s.byURL(in.QueueURL); e != nil {
		return nil, e
	}
	return nil, nil
}

func (s *Service) createQueue(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	name := in.QueueName
	if e := checkQueueName(name); e != nil {
		return nil, e
	}
	if e := checkAttributes(name, in.Attributes); e != nil {
		return nil, e
	}
	if strings.HasSuffix(name, ".fifo") && in.Attributes["FifoQueue"] != "true" {
		return nil, errorf("InvalidParameterValue", "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	}
	arn := service.ARN{Partition: "aws", Service: "sqs", Region: s.env.Region, AccountID: s.env.AccountID, Resource: name}
	err = s.env.Store.Update(func(tx *store.Tx) error {
		if q := s.queue(name); q != nil {
			return s.sameQueue(q, in.Attributes)
		}
		now := s.env.Now().Unix()
		s.define(tx, name, &definition{
			ID: newQueueID(), ARN: arn.String(), Attributes: given(in.Attributes), Tags: in.Tags, Created: now, Modified: now,
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return queueURL{s.env.URL + "/" + s.env.AccountID + "/" + name}, nil
}

// given are the attributes that say something: an empty policy takes it away.
func given(attributes map[string]string) map[string]string {
	all := maps.Clone(attributes)
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	if all == nil {
		all = map[string]string{}
	}
	return all
}

// sameQueue says that a queue exists with other attributes than those asked
// for.
func (s *Service) sameQueue(q *queue, wanted map[string]string) error {
	have := s.attributes(q)
	for name, value := range wanted {
		if have[name] != value {
			return errorf("QueueNameExists", "A queue already exists with the same name and a different value for attribute %s", name)
		}
	}
	return nil
}

func (s *Service) deleteQueue(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	return nil, s.env.Store.Update(func(tx *store.Tx) error {
		q, e := s.byURL(in.QueueURL)
		if e != nil {
			return e
		}
		s.drop(tx, q)
		return nil
	})
}

func (s *Service) purgeQueue(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	return nil, s.env.Store.Update(func(tx *store.Tx) error {
		q, e := s.byURL(in.QueueURL)
		if e != nil {
			return e
		}
		s.clear(tx, q)
		return nil
	})
}

// page cuts a list of names, which begins after token.
func page(names []string, in *queueInput) (some []string, next string, e *service.Error) {
	if in.NextToken != "" {
		names = slices.DeleteFunc(names, func(name string) bool { return name <= in.NextToken })
	}
	limit := 1000
	if in.MaxResults != nil {
		limit = *in.MaxResults
		if limit < 1 || limit > 1000 {
			return nil, "", invalid("MaxResults", strconv.Itoa(limit), "It must be from 1 to 1000.")
		}
	}
	if len(names) <= limit {
		return names, "", nil
	}
	if in.MaxResults != nil { // without it, there is no next page
		next = names[limit-1]
	}
	return names[:limit], next, nil
}

func (s *Service) listQueues(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, q := range s.list() {
		if strings.HasPrefix(q.name, in.QueueNamePrefix) {
			names = append(names, q.name)
		}
	}
	some, next, e := page(names, in)
	if e != nil {
		return nil, e
	}
	return &queueURLs{QueueURLs: s.urls(some), NextToken: next}, nil
}

func (s *Service) urls(names []string) []string {
	var all []string
	for _, name := range names {
		all = append(all, s.env.URL+"/"+s.env.AccountID+"/"+name)
	}
	return all
}

func (s *Service) listDeadLetterSourceQueues(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	q, e := s.byURL(in.QueueURL)
	if e != nil {
		return nil, e
	}
	some, next, e := page(s.sourcesOf(q), in)
	if e != nil {
		return nil, e
	}
	return &queueURLs{Sources: append([]string{}, s.urls(some)...), NextToken: next}, nil
}

func (s *Service) getQueueURL(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	if in.QueueName == "" {
		return nil, missing("QueueName")
	}
	q := s.queue(in.QueueName)
	if q == nil {
		return nil, noQueue()
	}
	return queueURL{s.urlOf(q)}, nil
}

// attributes are all attributes of a queue.
func (s *Service) attributes(q *queue) map[string]string {
	d := q.definition.Load()
	all := map[string]string{
		"QueueArn":              d.ARN,
		"CreatedTimestamp":      strconv.FormatInt(d.Created, 10),
		"LastModifiedTimestamp": strconv.FormatInt(d.Modified, 10),
		"SqsManagedSseEnabled":  "true",
	}
	for name, b := range bounds {
		all[name] = strconv.Itoa(b[0])
	}
	if d.Attributes["KmsMasterKeyId"] == "" {
		delete(all, "KmsDataKeyReusePeriodSeconds")
	} else {
		all["SqsManagedSseEnabled"] = "false"
	}
	if q.fifo {
		for _, name := range fifoOnly {
			all[name] = choices[name][0]
		}
	}
	for name, value := range d.Attributes {
		if q.fifo || !slices.Contains(fifoOnly, name) {
			all[name] = value
		}
	}
	q.mu.Lock()
	q.tick(millis(s.env.Now()))
	all["ApproximateNumberOfMessages"] = strconv.Itoa(q.counts[ready])
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(q.counts[delayed])
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(q.counts[inFlight] + q.counts[leaving])
	q.mu.Unlock()
	return all
}

func (s *Service) getQueueAttributes(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	q, e := s.byURL(in.QueueURL)
	if e != nil {
		return nil, e
	}
	all := s.attributes(q)
	if slices.Contains(in.AttributeNames, "All") {
		return queueAttributes{all}, nil
	}
	some := map[string]string{}
	for _, name := range in.AttributeNames {
		if e := knownAttribute(name); e != nil {
			return nil, e
		}
		if value, ok := all[name]; ok {
			some[name] = value
		}
	}
	return queueAttributes{some}, nil
}

func knownAttribute(name string) *service.Error {
	_, isNumber := bounds[name]
	_, isChoice := choices[name]
	if isNumber || isChoice || slices.Contains(texts, name) || slices.Contains(readOnly, name) {
		return nil
	}
	return errorf("InvalidAttributeName", "Unknown Attribute %s.", name)
}

func (s *Service) setQueueAttributes(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	if len(in.Attributes) == 0 {
		return nil, missing("Attribute.Name")
	}
	return nil, s.redefine(in.QueueURL, func(q *queue, d *definition) *service.Error {
		if e := checkAttributes(q.name, in.Attributes); e != nil {
			return e
		}
		if _, ok := in.Attributes["FifoQueue"]; ok && !q.fifo {
			return errorf("InvalidAttributeName", "Unknown Attribute FifoQueue.")
		}
		all := maps.Clone(d.Attributes)
		maps.Copy(all, in.Attributes)
		d.Attributes = given(all)
		d.Modified = s.env.Now().Unix()
		return s.checkDeadLetters(q, in.Attributes["RedrivePolicy"])
	})
}

// checkDeadLetters checks that the queue of a redrive policy is there, and takes
// what is sent to it.
func (s *Service) checkDeadLetters(q *queue, policy string) *service.Error {
	p, err := parseRedrive(policy)
	if err != nil || p == nil {
		return nil // checked before
	}
	dlq := s.byARN(p.DeadLetterTargetARN)
	const parameter = "Value %s for parameter RedrivePolicy is invalid. Reason: "
	switch {
	case dlq == nil:
		return errorf("InvalidParameterValue", parameter+"Dead letter target does not exist.", policy)
	case dlq.fifo != q.fifo:
		return errorf("InvalidParameterValue", parameter+"Dead-letter queue must be same type of queue as the source.", policy)
	}
	dlq.mu.Lock()
	defer dlq.mu.Unlock()
	if !dlq.config.allows(q.arn()) {
		return errorf("InvalidParameterValue", parameter+"The dead-letter queue's RedriveAllowPolicy does not allow this queue.", policy)
	}
	return nil
}

// redefine changes what a queue is.
func (s *Service) redefine(url string, change func(q *queue, d *definition) *service.Error) error {
	return s.env.Store.Update(func(tx *store.Tx) error {
		q, e := s.byURL(url)
		if e != nil {
			return e
		}
		d := *q.definition.Load()
		if e := change(q, &d); e != nil {
			return e
		}
		s.define(tx, q.name, &d)
		return nil
	})
}

func (s *Service) listQueueTags(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	q, e := s.byURL(in.QueueURL)
	if e != nil {
		return nil, e
	}
	return queueTags{q.definition.Load().Tags}, nil
}

func (s *Service) tagQueue(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, missing("Tags")
	}
	return nil, s.redefine(in.QueueURL, func(_ *queue, d *definition) *service.Error {
		all := maps.Clone(d.Tags)
		if all == nil {
			all = map[string]string{}
		}
		maps.Copy(all, in.Tags)
		if len(all) > 50 {
			return errorf("InvalidParameterValue", "Too many tags: a queue has at most 50.")
		}
		d.Tags = all
		return nil
	})
}

func (s *Service) untagQueue(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	return nil, s.redefine(in.QueueURL, func(_ *queue, d *definition) *service.Error {
		all := maps.Clone(d.Tags)
		for _, key := range in.TagKeys {
			delete(all, key)
		}
		d.Tags = all
		return nil
	})
}

func (s *Service) startMessageMoveTask(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	if in.SourceArn == "" {
		return nil, missing("SourceArn")
	}
	rate := 0
	if in.MaxNumberOfMessagesPerSecond != nil {
		if rate = *in.MaxNumberOfMessagesPerSecond; rate == 0 {
			rate = -1
		}
	}
	t, e := s.begin(in.SourceArn, in.DestinationArn, rate)
	if e != nil {
		return nil, e
	}
	return taskHandle{t.Handle}, nil
}

func (s *Service) cancelMessageMoveTask(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	if in.TaskHandle == "" {
		return nil, missing("TaskHandle")
	}
	moved, e := s.cancel(in.TaskHandle)
	if e != nil {
		return nil, e
	}
	return movedAnswer{moved}, nil
}

func (s *Service) listMessageMoveTasks(c *call) (answer, error) {
	in, err := c.queueInput()
	if err != nil {
		return nil, err
	}
	if s.byARN(in.SourceArn) == nil {
		return nil, errorf("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	limit := 1
	if in.MaxResults != nil {
		limit = *in.MaxResults
		if limit < 1 || limit > maxTasks {
			return nil, invalid("MaxResults", strconv.Itoa(limit), "It must be from 1 to 10.")
		}
	}
	list := taskList{Results: []taskAnswer{}}
	for _, t := range s.tasksOf(in.SourceArn) {
		if len(list.Results) == limit {
			break
		}
		a := taskAnswer{
			Status: t.Status, SourceArn: t.Source, DestinationArn: t.Destination, MaxNumberOfMessagesPerSecond: t.Rate,
			ApproximateNumberOfMessagesMoved: t.Moved, ApproximateNumberOfMessagesToMove: t.ToMove,
			FailureReason: t.Failure, StartedTimestamp: t.Started,
		}
		if t.Status == running {
			a.TaskHandle = cmp.Or(t.Handle)
		}
		list.Results = append(list.Results, a)
	}
	return list, nil
}
