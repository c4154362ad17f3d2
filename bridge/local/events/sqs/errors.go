package sqs

import "github.com/bailey-cdk/bailey/bridge/local/events/service"

// errorf is an error of SQS. Where the query protocol has another name for it
// than JSON, it has that too.
func errorf(code, format string, args ...any) *service.Error {
	e := service.Errorf(code, format, args...)
	switch code {
	case "QueueDoesNotExist":
		e.QueryCode = "AWS.SimpleQueueService.NonExistentQueue"
	case "QueueNameExists":
		e.QueryCode = "QueueAlreadyExists"
	case "BatchEntryIdsNotDistinct", "BatchRequestTooLong", "EmptyBatchRequest", "InvalidBatchEntryId",
		"TooManyEntriesInBatchRequest", "MessageNotInflight", "UnsupportedOperation":
		e.QueryCode = "AWS.SimpleQueueService." + code
	case "ResourceNotFoundException":
		e.Status = 404
	}
	return e
}

func noQueue() *service.Error {
	return errorf("QueueDoesNotExist", "The specified queue does not exist.")
}

func invalid(parameter, value, reason string) *service.Error {
	return errorf("InvalidParameterValue", "Value %s for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

func missing(parameter string) *service.Error {
	return errorf("MissingParameter", "The request must contain the parameter %s.", parameter)
}
