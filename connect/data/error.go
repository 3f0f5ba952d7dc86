package data

import (
	"errors"
	"fmt"
	"strings"
)

// Class is the Java class of an error. It is itself an error, so that errors.Is(err, RetriableException) asks for a class or one of its
// subclasses.
type Class string

// The classes that Connect's own code throws.
const (
	Exception                   Class = "java.lang.Exception"
	JavaError                   Class = "java.lang.Error"
	RuntimeException            Class = "java.lang.RuntimeException"
	NullPointerException        Class = "java.lang.NullPointerException"
	IllegalArgumentException    Class = "java.lang.IllegalArgumentException"
	IllegalStateException       Class = "java.lang.IllegalStateException"
	NumberFormatException       Class = "java.lang.NumberFormatException"
	ClassCastException          Class = "java.lang.ClassCastException"
	ArithmeticException         Class = "java.lang.ArithmeticException"
	NoSuchElementException      Class = "java.util.NoSuchElementException"
	IndexOutOfBoundsException   Class = "java.lang.IndexOutOfBoundsException"
	ParseException              Class = "java.text.ParseException"
	KafkaException              Class = "org.apache.kafka.common.KafkaException"
	ConfigException             Class = "org.apache.kafka.common.config.ConfigException"
	SerializationException      Class = "org.apache.kafka.common.errors.SerializationException"
	InvalidRecordException      Class = "org.apache.kafka.common.InvalidRecordException"
	ConnectException            Class = "org.apache.kafka.connect.errors.ConnectException"
	DataException               Class = "org.apache.kafka.connect.errors.DataException"
	SchemaBuilderException      Class = "org.apache.kafka.connect.errors.SchemaBuilderException"
	SchemaProjectorException    Class = "org.apache.kafka.connect.errors.SchemaProjectorException"
	RetriableException          Class = "org.apache.kafka.connect.errors.RetriableException"
	AlreadyExistsException      Class = "org.apache.kafka.connect.errors.AlreadyExistsException"
	NotFoundException           Class = "org.apache.kafka.connect.errors.NotFoundException"
	IllegalWorkerStateException Class = "org.apache.kafka.connect.errors.IllegalWorkerStateException"

	VersionedPluginLoadingException Class = "org.apache.kafka.connect.runtime.isolation.VersionedPluginLoadingException"
)

// parents are the superclasses as far as anybody asks.
var parents = map[Class]Class{
	RuntimeException:            Exception,
	NullPointerException:        RuntimeException,
	IllegalArgumentException:    RuntimeException,
	IllegalStateException:       RuntimeException,
	NumberFormatException:       IllegalArgumentException,
	ClassCastException:          RuntimeException,
	ArithmeticException:         RuntimeException,
	NoSuchElementException:      RuntimeException,
	IndexOutOfBoundsException:   RuntimeException,
	ParseException:              Exception,
	KafkaException:              RuntimeException,
	ConfigException:             KafkaException,
	SerializationException:      KafkaException,
	InvalidRecordException:      KafkaException,
	ConnectException:            KafkaException,
	DataException:               ConnectException,
	SchemaBuilderException:      DataException,
	SchemaProjectorException:    DataException,
	RetriableException:          ConnectException,
	AlreadyExistsException:      ConnectException,
	NotFoundException:           ConnectException,
	IllegalWorkerStateException: ConnectException,

	VersionedPluginLoadingException: ConfigException,
}

func (c Class) Error() string { return string(c) }

// Extends says whether c is super or a subclass of it.
func (c Class) Extends(super Class) bool {
	for ; c != super; c = parents[c] {
		if c == "" {
			return false
		}
	}
	return true
}

// Error is an error with the class and message that Kafka gives it.
type Error struct {
	Class   Class
	Message string
	// Null says that Java's message is null; Message is empty then.
	Null  bool
	Cause error // may be nil
	// Frames are the calls that led to it, the last first; mostly none.
	Frames []string
}

// Errorf returns an error with a formatted message.
func (c Class) Errorf(format string, args ...any) *Error {
	return &Error{Class: c, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns an error with a message and a cause.
func (c Class) Wrap(cause error, message string) *Error {
	return &Error{Class: c, Message: message, Cause: cause}
}

// Because is Java's constructor with nothing but a cause: its text becomes the message.
func (c Class) Because(cause error) *Error {
	return &Error{Class: c, Message: Throwable(cause), Cause: cause}
}

func (e *Error) Error() string {
	if e.Null {
		return string(e.Class)
	}
	if e.Cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.Cause.Error()
}

func (e *Error) Unwrap() error { return e.Cause }

// Is makes errors.Is work with a Class.
func (e *Error) Is(target error) bool {
	c, ok := target.(Class)
	return ok && e.Class.Extends(c)
}

// ClassOfError is the Java class of an error: of the first *Error in its chain; of any other error ConnectException.
func ClassOfError(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ConnectException
}

// MessageOfError is the message of err alone, without those of its causes; ok is false where Java's is null.
func MessageOfError(err error) (message string, ok bool) {
	var e *Error
	if errors.As(err, &e) {
		return e.Message, !e.Null
	}
	return err.Error(), true
}

// Throwable is what Java prints of an error: class and message.
func Throwable(err error) string {
	m, ok := MessageOfError(err)
	if !ok {
		return string(ClassOfError(err))
	}
	return string(ClassOfError(err)) + ": " + m
}

// StackTrace is what Java prints of an error and its causes: a line each, and one for each frame, where there are any.
func StackTrace(err error) string {
	s := Throwable(err) + "\n" + frames(err)
	for e := cause(err); e != nil; e = cause(e) {
		s += "Caused by: " + Throwable(e) + "\n" + frames(e)
	}
	return s
}

func frames(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return ""
	}
	var b strings.Builder
	for _, f := range e.Frames {
		b.WriteString("\tat " + f + "\n")
	}
	return b.String()
}

func cause(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return nil
	}
	return e.Cause
}
