package protobuf_test

import (
	"testing"

	"github.com/leanovate/gopter"

	"github.com/kstreamlab/kstreamlab/proptest/sample"
)

// TestRoundTrips writes random values of random schemas and reads them again.
func TestRoundTrips(t *testing.T) {
	params := gopter.DefaultTestParametersWithSeed(42)
	params.MinSuccessfulTests = 1000
	props := gopter.NewProperties(params)
	c := converter(t, false, "wrapper.for.nullables", "true", "enhanced.protobuf.schema.support", "true")
	props.Property("wrappers", sample.RoundTrips(sample.Rules{Root: true, Flat: true, Plain: true}, c, false))
	props.TestingRun(t)
}
