package avro

import (
	"math/rand/v2"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/prop"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/proptest/sample"
)

// TestFusedReadsAlike reads random values, and bytes of them that were cut or changed, with and without the fused reader.
func TestFusedReadsAlike(t *testing.T) {
	params := gopter.DefaultTestParametersWithSeed(7)
	params.MinSuccessfulTests = 1000
	props := gopter.NewProperties(params)
	c := New(host.NewMachine())
	if err := c.Configure(config.Props{"schema.registry.url": "mock://connect-avro-" + t.Name(), "enhanced.avro.schema.support": "true"}, false); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	fused, all := 0, 0
	props.Property("alike", prop.ForAll(func(v data.SchemaAndValue) bool {
		b, err := c.FromConnect("t", nil, v.Schema, v.Value)
		if err != nil || b == nil {
			return true
		}
		for range 4 {
			if !alike(c, b) {
				t.Logf("%s: % x", v, b)
				return false
			}
			if all++; c.lastBy.fused != nil {
				if _, ok := c.lastBy.fused.read(b[5:], &c.structs); ok {
					fused++
				}
			}
			if len(b) == 5 {
				break
			}
			b = append([]byte(nil), b[:6+rnd.IntN(len(b)-5)]...)
			b[5+rnd.IntN(len(b)-5)] += byte(rnd.IntN(3))
		}
		return true
	}, sample.Rules{}.Gen()))
	props.TestingRun(t)
	if fused < all/4 {
		t.Errorf("only %d of %d values were read by the fused reader", fused, all)
	}
}

// alike compares what the two ways make of bytes.
func alike(c *Converter, b []byte) bool {
	v, err := c.ToConnect("t", nil, b)
	by := c.lastBy
	if by == nil {
		return err != nil
	}
	keep := by.fused
	by.fused = nil
	w, slowErr := c.ToConnect("t", nil, b)
	by.fused = keep
	return v.Equal(w) && (err == nil) == (slowErr == nil) && (err == nil || err.Error() == slowErr.Error())
}
