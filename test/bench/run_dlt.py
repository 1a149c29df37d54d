"""A contestant: dlt with its own `rest_api` source, to Parquet on S3, as its documentation shows it."""
import json, os, sys, tempfile

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
import dlt
from dlt.destinations import filesystem
from dlt.sources.rest_api import rest_api_source


def run(task):
    base = f"{task['vendor']}/services/data/v62.0"
    soql = f"SELECT {', '.join(task['columns'])} FROM {task['object']}"
    source = rest_api_source({
        "client": {
            "base_url": base,
            "auth": {"type": "bearer", "token": "any"},
            "paginator": {"type": "json_link", "next_url_path": "nextRecordsUrl"},
        },
        "resources": [{
            "name": "accounts",
            "endpoint": {"path": "query", "params": {"q": soql}, "data_selector": "records"},
        }],
    })
    keys = task["s3"]
    destination = filesystem(
        bucket_url=f"s3://{keys['bucket']}/{task['prefix']}",
        credentials={
            "aws_access_key_id": keys["accessKeyId"], "aws_secret_access_key": keys["secretAccessKey"],
            "endpoint_url": keys["endpoint"], "region_name": keys["region"],
        },
    )
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(pipeline_name="bench", pipelines_dir=folder, destination=destination, dataset_name="raw")
        pipeline.run(source, loader_file_format="parquet")
        rows = pipeline.last_trace.last_normalize_info.row_counts["accounts"]
    return {"rows": rows}


def say(value):
    sys.__stdout__.write(json.dumps(value) + "\n")
    sys.__stdout__.flush()


say({"ready": True})
for line in sys.stdin:
    try:
        say(run(json.loads(line)))
    except Exception as error:
        say({"error": repr(error)})
