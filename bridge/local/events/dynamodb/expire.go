package dynamodb

import (
	"context"
	"strconv"
	"time"
)

// expireItems deletes the items whose time to live is over. Those that it ended
// for more than five years ago stay, as DynamoDB has it.
func (s *Service) expireItems() {
	ttls, err := s.ttls()
	if err != nil || len(ttls) == 0 {
		return
	}
	s.mu.Lock()
	b := s.engine
	s.mu.Unlock()
	if b == nil {
		return
	}
	select {
	case <-b.done:
	default:
		return
	}
	if b.err != nil || b.process == nil {
		return
	}
	for table, attribute := range ttls {
		if err := s.expireTable(b.process, table, attribute); err != nil && s.ctx.Err() == nil {
			s.env.Logf("cannot delete the items of %s whose time to live is over: %v", table, err)
		}
	}
}

func (s *Service) expireTable(p *process, name, attribute string) error {
	t, err := s.table(s.ctx, p, name)
	if err != nil || t == nil {
		return err
	}
	now := s.env.Now()
	condition := map[string]any{
		"TableName":                 name,
		"ExpressionAttributeNames":  map[string]string{"#ttl": attribute},
		"ExpressionAttributeValues": map[string]any{":now": unix(now), ":old": unix(now.AddDate(-5, 0, 0))},
	}
	const over = "#ttl < :now AND #ttl > :old"
	var keys []item
	request := clone(condition)
	request["FilterExpression"] = over
	if err := s.scan(p, request, func(i item) error {
		if key, ok := t.keyOf(writeRequest{Item: i}); ok {
			keys = append(keys, key)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, key := range keys {
		request := clone(condition)
		request["Key"], request["ConditionExpression"] = key, over
		if err := s.expireItem(p, t, key, encode(request)); err != nil {
			return err
		}
	}
	return nil
}

// expireItem deletes an item, unless it was given more time meanwhile.
func (s *Service) expireItem(p *process, t *table, key item, body []byte) error {
	s.transaction.RLock()
	defer s.transaction.RUnlock()
	defer s.items.lock(t.lockName(key))()
	a, err := s.apply(context.WithoutCancel(s.ctx), p, "DeleteItem", body, false, &change{table: t, key: key, expired: true})
	if err != nil || a.isCode("ConditionalCheckFailedException") {
		return err
	}
	return a.failure()
}

func unix(t time.Time) map[string]string {
	return map[string]string{"N": strconv.FormatInt(t.Unix(), 10)}
}

func clone(m map[string]any) map[string]any {
	c := make(map[string]any, len(m)+2)
	for k, v := range m {
		c[k] = v
	}
	return c
}
