// Command bailey runs CDK-defined Lambda functions on this machine.
//
//	bailey synth                   run the CDK app and write the SAM template
//	bailey bridge [PATH]           write the SAM template of a cloud assembly
//	bailey dev                     serve APIs, functions and events; take over each saved change
//	bailey local invoke [NAME]     run a function
//	bailey local start-api         serve the APIs
//	bailey local start-lambda      serve Lambda's Invoke API
//	bailey local start-events      serve queues, topics, buses, buckets and tables
//
// Exit status: 0 where all went well; 1 where a function failed, or a synth or
// bridge did; 2 where the command could not be understood or a function could
// not be run at all.
package main
