package simulated

import "github.com/kstreamlab/kstreamlab/broker"

// createTopicsRequest is CreateTopics; any broker hands it to the controller.
type createTopicsRequest struct {
	topics []broker.NewTopic
}

// topicsResponse answers for each topic of the request.
type topicsResponse struct {
	codes []code
	texts []string
}

func (b *node) createTopics(r *createTopicsRequest, out reply) {
	b.m.controlled(func() {
		resp := &topicsResponse{}
		for _, t := range r.topics {
			c, text := b.m.createTopic(t)
			resp.codes, resp.texts = append(resp.codes, c), append(resp.texts, text)
		}
		out(resp, smallResponse)
	})
}

type deleteTopicsRequest struct {
	topics []string
}

func (b *node) deleteTopics(r *deleteTopicsRequest, out reply) {
	b.m.controlled(func() {
		resp := &topicsResponse{}
		for _, name := range r.topics {
			resp.codes, resp.texts = append(resp.codes, b.m.deleteTopic(name)), append(resp.texts, name)
		}
		out(resp, smallResponse)
	})
}

type describeConfigsRequest struct {
	topic string
}

type describeConfigsResponse struct {
	code    code
	configs map[string]string
}

func (b *node) describeConfigs(r *describeConfigsRequest, out reply) {
	t := b.m.topics[r.topic]
	if t == nil {
		out(&describeConfigsResponse{code: codeUnknownTopic}, smallResponse)
		return
	}
	out(&describeConfigsResponse{configs: b.m.effective(t.configs)}, smallResponse)
}

// deleteRecordsRequest moves log start offsets of partitions that one broker leads; -1 means the high watermark.
type deleteRecordsRequest struct {
	tps    []broker.TopicPartition
	before []int64
}

type deleteRecordsResponse struct {
	codes []code
}

func (b *node) deleteRecords(r *deleteRecordsRequest, out reply) {
	resp := &deleteRecordsResponse{make([]code, len(r.tps))}
	for i, tp := range r.tps {
		p, c := b.led(tp)
		if c == codeNone {
			c = p.deleteRecords(r.before[i])
		}
		resp.codes[i] = c
	}
	out(resp, smallResponse)
}
