package registry

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Error is a request that the registry refused, or that did not reach it.
type Error struct {
	Address string // of the registry, without credentials
	Op      string // what was asked for, such as "register a schema under orders-value"
	Subject string // empty where the request had none
	Status  int    // the HTTP status; 0: no answer came
	Code    int    // the registry's own code, such as 40401
	Message string // the registry's words
	Err     error  // why no answer came
}

// Codes of the registry.
const (
	SubjectNotFound    = 40401
	VersionNotFound    = 40402
	SchemaNotFound     = 40403
	IncompatibleSchema = 409
	InvalidSchema      = 42201
	InvalidVersion     = 42202
)

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "schema registry %s: %s: ", e.Address, e.Op)
	if e.Status == 0 {
		fmt.Fprintf(&b, "no answer: %v", e.Err)
	} else {
		fmt.Fprintf(&b, "HTTP status %d", e.Status)
		if e.Code != 0 && e.Code != e.Status {
			fmt.Fprintf(&b, ", code %d", e.Code)
		}
		if e.Message != "" {
			fmt.Fprintf(&b, ": %s", e.Message)
		}
	}
	if r := e.remedy(); r != "" {
		b.WriteString(": " + r)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// remedy says what to do; empty: nothing that the words do not say.
func (e *Error) remedy() string {
	switch {
	case e.Status == 0:
		return "is schema.registry.url right, and does the registry run?"
	case e.Status == http.StatusUnauthorized:
		return "set basic.auth.credentials.source and basic.auth.user.info, or bearer.auth.credentials.source and bearer.auth.token"
	case e.Status == http.StatusForbidden:
		return "this user may not do that: ask for the right, or set auto.register.schemas=false"
	case e.Status == http.StatusConflict:
		return "change the schema so that it is compatible, or the subject's compatibility level"
	case e.Code == SubjectNotFound || e.Code == SchemaNotFound:
		if e.Subject != "" {
			return "register the schema first, or set auto.register.schemas=true"
		}
	case e.Status == http.StatusNotFound && e.Code == 0:
		return "is schema.registry.url the address of a Schema Registry, with its path?"
	}
	return ""
}

// Class is the class of the exception that Confluent's serializers throw for it.
func (e *Error) Class() string {
	const errs = "org.apache.kafka.common.errors."
	switch e.Status {
	case 0:
		return errs + "NetworkException"
	case http.StatusUnauthorized:
		return errs + "AuthenticationException"
	case http.StatusForbidden:
		return errs + "AuthorizationException"
	case http.StatusTooManyRequests:
		return errs + "ThrottlingQuotaExceededException"
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return errs + "TimeoutException"
	case http.StatusBadGateway:
		return errs + "DisconnectException"
	}
	return errs + "SerializationException"
}

// Retriable tells whether the same request may succeed later.
func (e *Error) Retriable() bool {
	switch e.Status {
	case 0, http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Kafka is the message of Confluent's RestClientException.
func (e *Error) Kafka() string {
	if e.Status == 0 {
		return e.Err.Error()
	}
	code := e.Code
	if code == 0 {
		code = e.Status
	}
	return fmt.Sprintf("%s; error code: %d", e.Message, code)
}

// IsMissing tells whether err says that a subject, version or schema is not there.
func IsMissing(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}
