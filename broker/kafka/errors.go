package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kstreamlab/kstreamlab/broker"
)

// kinds says what an engine must do about each of Kafka's codes; a code that is not listed is ErrRetriable or ErrFatal, as Kafka
// itself classifies it.
var kinds = map[int16]error{
	kerr.ProducerFenced.Code:       broker.ErrFenced,
	kerr.InvalidProducerEpoch.Code: broker.ErrFenced,
	kerr.FencedInstanceID.Code:     broker.ErrFenced,
	// the coordinator does not have the transaction open that the producer thinks is: it has ended it, by its time-out
	kerr.InvalidTxnState.Code: broker.ErrFenced,

	kerr.UnknownMemberID.Code:     broker.ErrUnknownMember,
	kerr.IllegalGeneration.Code:   broker.ErrUnknownMember,
	kerr.RebalanceInProgress.Code: broker.ErrRebalancing,

	kerr.OffsetOutOfRange.Code:        broker.ErrOffsetOutOfRange,
	kerr.UnknownTopicOrPartition.Code: broker.ErrUnknownTopic,
	kerr.UnknownTopicID.Code:          broker.ErrUnknownTopic,
	kerr.InconsistentTopicID.Code:     broker.ErrUnknownTopic,
	kerr.TopicAlreadyExists.Code:      broker.ErrTopicExists,
	kerr.MessageTooLarge.Code:         broker.ErrRecordTooLarge,
	kerr.RecordListTooLarge.Code:      broker.ErrRecordTooLarge,
	kerr.RequestTimedOut.Code:         broker.ErrTimeout,

	kerr.TransactionAbortable.Code:     broker.ErrAbortable,
	kerr.OperationNotAttempted.Code:    broker.ErrAbortable,
	kerr.UnknownProducerID.Code:        broker.ErrAbortable,
	kerr.OutOfOrderSequenceNumber.Code: broker.ErrAbortable,
}

// codeError is the error of a code in a response; nil for 0.
func codeError(op string, code int16, text string) error {
	if code == 0 {
		return nil
	}
	e := &broker.Error{Op: op, Code: code, Text: text, Kind: kinds[code]}
	known, ok := kerr.ErrorForCode(code).(*kerr.Error)
	if ok {
		e.Name = known.Message
	}
	if e.Kind == nil {
		e.Kind = broker.ErrFatal
		if ok && known.Retriable {
			e.Kind = broker.ErrRetriable
		}
	}
	return e
}

// wrap makes an error of kgo, of a response or of the network one of the port's. It returns the cause of ctx when that has ended.
func wrap(ctx context.Context, op string, err error, text string) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var ours *broker.Error
	if errors.As(err, &ours) {
		return err
	}
	var k *kerr.Error
	if errors.As(err, &k) {
		return codeError(op, k.Code, text)
	}
	kind := broker.ErrRetriable
	switch {
	case errors.Is(err, kgo.ErrClientClosed):
		return broker.ErrClosed
	case errors.Is(err, kgo.ErrRecordTimeout), errors.Is(err, kgo.ErrRecordRetries), errors.Is(err, context.DeadlineExceeded):
		kind = broker.ErrTimeout
	case errors.Is(err, kgo.ErrAborting):
		kind = broker.ErrAbortable
	case strings.HasPrefix(err.Error(), "invalid record partitioning choice"):
		return codeError(op, kerr.UnknownTopicOrPartition.Code, text) // kgo has no value for it
	}
	if text != "" {
		text = ": " + text
	}
	return &broker.Error{Op: op, Kind: kind, Text: fmt.Sprintf("%v%s", err, text)}
}

// transactional turns an error that a transaction cannot survive, and the producer can, into ErrAbortable.
func transactional(err error) error {
	if err == nil || errors.Is(err, broker.ErrFenced) || errors.Is(err, broker.ErrAbortable) || errors.Is(err, broker.ErrClosed) {
		return err
	}
	out := &broker.Error{Op: "Produce", Kind: broker.ErrAbortable, Text: err.Error()}
	var e *broker.Error
	if errors.As(err, &e) {
		*out = *e
		out.Kind = broker.ErrAbortable
		if e.Kind != broker.ErrFatal {
			out.Text = fmt.Sprintf("%s (%v)", e.Text, e.Kind)
		}
	}
	return out
}

// unanswered says that err is the network's: the request may be repeated, and no broker has said so.
func unanswered(err error) bool {
	var e *broker.Error
	return errors.As(err, &e) && e.Code == 0 && e.Kind == broker.ErrRetriable
}

// coded says whether err carries one of these codes.
func coded(err error, codes ...*kerr.Error) bool {
	var e *broker.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.Code == c.Code {
			return true
		}
	}
	return false
}
