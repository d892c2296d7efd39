#!/usr/bin/env python3
"""Puts records on a stream: STREAM as the argument, a JSON array of {PartitionKey, Data} on stdin with Data in base64.

The command line (version 1) takes Data as text only, and records may be bytes of any kind."""
import base64
import json
import os
import sys

from botocore.session import Session

kinesis = Session().create_client('kinesis', endpoint_url=os.environ['AWS_ENDPOINT_URL'])
records = [{**record, 'Data': base64.b64decode(record['Data'])} for record in json.load(sys.stdin)]
for start in range(0, len(records), 500):
    answer = kinesis.put_records(StreamName=sys.argv[1], Records=records[start:start + 500])
    if answer['FailedRecordCount']:
        sys.exit(f"{answer['FailedRecordCount']} records were refused")
