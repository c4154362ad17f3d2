package service

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// ARN is an Amazon Resource Name in its parts.
type ARN struct{ Partition, Service, Region, AccountID, Resource string }

// ParseARN takes an ARN apart. ok is false where it is none.
func ParseARN(text string) (arn ARN, ok bool) {
	rest, ok := strings.CutPrefix(text, "arn:")
	for _, part := range []*string{&arn.Partition, &arn.Service, &arn.Region, &arn.AccountID} {
		if ok {
			*part, rest, ok = strings.Cut(rest, ":")
		}
	}
	if !ok || arn.Service == "" || rest == "" {
		return ARN{}, false
	}
	arn.Resource = rest
	return arn, true
}

func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.AccountID + ":" + a.Resource
}

// NewID is a random UUID, which nobody can guess.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var id [36]byte
	hex.Encode(id[:8], b[:4])
	hex.Encode(id[9:13], b[4:6])
	hex.Encode(id[14:18], b[6:8])
	hex.Encode(id[19:23], b[8:10])
	hex.Encode(id[24:], b[10:])
	id[8], id[13], id[18], id[23] = '-', '-', '-', '-'
	return string(id[:])
}
