package debezium

import "github.com/kstreamlab/kstreamlab/connect/data"

// valueSchemas remembers the schemas of values: by the schema of the payload or, where there are versions, by the version alone. The first of
// each stays, whatever topic it was made for, as in Debezium.
type valueSchemas struct {
	byPayload map[uint64][]payloadEntry // by Schema.Hash
	byVersion map[any]*data.Schema
	size      int
}

type payloadEntry struct{ payload, made *data.Schema }

// maxValueSchemas is how many payloads are remembered before all are forgotten.
const maxValueSchemas = 10_000

func (c *valueSchemas) get(payload *data.Schema, versioned bool, version any, make func() (*data.Schema, error)) (*data.Schema, error) {
	if versioned {
		return c.ofVersion(version, make)
	}
	if payload == nil {
		return nil, data.NullPointerException.Errorf("the payload has no schema")
	}
	for _, e := range c.byPayload[payload.Hash()] {
		if e.payload.Equal(payload) {
			return e.made, nil
		}
	}
	made, err := make()
	if err != nil {
		return nil, err
	}
	if c.byPayload == nil || c.size >= maxValueSchemas {
		c.byPayload, c.size = map[uint64][]payloadEntry{}, 0
	}
	c.size++
	c.byPayload[payload.Hash()] = append(c.byPayload[payload.Hash()], payloadEntry{payload, made})
	return made, nil
}

func (c *valueSchemas) ofVersion(version any, make func() (*data.Schema, error)) (*data.Schema, error) {
	if made := c.byVersion[version]; made != nil {
		return made, nil
	}
	made, err := make()
	if err != nil {
		return nil, err
	}
	if c.byVersion == nil {
		c.byVersion = map[any]*data.Schema{}
	}
	c.byVersion[version] = made
	return made, nil
}
