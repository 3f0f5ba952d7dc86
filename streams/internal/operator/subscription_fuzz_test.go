package operator

import (
	"bytes"
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// FuzzMessages reads any bytes as messages of a foreign-key join: what can be read is written as the same bytes again.
func FuzzMessages(f *testing.F) {
	for _, seed := range []string{"", "\x01\x03aaaaaaaabbbbbbbbk\x00\x00\x00\x05", "\x81\x01\x00\x00\x00\x00", "\x00aaaaaaaabbbbbbbbv", "\x80", "\x02\x01"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		subs, responses := SubscriptionSerde(serde.Bytes()), ResponseSerde(serde.Bytes())
		if s, err := subs.Decode("t", b); err == nil {
			if again, err := subs.Append(nil, "t", s); err != nil || !bytes.Equal(b, again) {
				t.Errorf("subscription %x became %x (%v)", b, again, err)
			}
		}
		if r, err := responses.Decode("t", b); err == nil {
			if again, err := responses.Append(nil, "t", r); err != nil || !bytes.Equal(b, again) {
				t.Errorf("response %x became %x (%v)", b, again, err)
			}
		}
	})
}
