package avro_test

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
	c := converter(t, false, "enhanced.avro.schema.support", "true")
	props.Property("enhanced", sample.RoundTrips(sample.Rules{}, c, true))
	props.TestingRun(t)
}
