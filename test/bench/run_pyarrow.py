"""A contestant: the script that somebody writes by hand. requests, orjson or pyarrow.csv, batches of 50,000 rows, one
zstd Parquet object on S3. No retries, no state, no check of what came."""
import json, sys, time
import orjson, requests
import pyarrow as pa, pyarrow.compute as pc, pyarrow.csv as pacsv, pyarrow.parquet as pq
from pyarrow import fs

BATCH = 50_000
TYPES = {
    "boolean": pa.bool_(), "int": pa.int32(), "double": pa.float64(), "currency": pa.float64(),
    "percent": pa.float64(), "date": pa.date32(), "datetime": pa.timestamp("ms", tz="UTC"),
}


def table_of(records, schema):
    columns = []
    for field in schema:
        values = [record.get(field.name) for record in records]
        if pa.types.is_timestamp(field.type):  # 2026-05-06T11:56:44.000+0000
            plain = pc.utf8_slice_codeunits(pa.array(values, pa.string()), 0, 23)
            columns.append(pc.assume_timezone(pc.cast(plain, pa.timestamp("ms")), "UTC"))
        elif pa.types.is_date(field.type):
            columns.append(pc.cast(pa.array(values, pa.string()), pa.date32()))
        else:
            columns.append(pa.array(values, field.type))
    return pa.table(columns, schema=schema)


def rest(session, base, soql, schema):
    answer, held = session.get(base + "/query", params={"q": soql}), []
    while True:
        answer.raise_for_status()
        page = orjson.loads(answer.content)
        held += page["records"]
        more = page.get("nextRecordsUrl")
        if len(held) >= BATCH or (not more and held):
            yield table_of(held, schema)
            held = []
        if not more:
            return
        answer = session.get(base[: base.index("/services")] + more)


def bulk(session, base, soql, schema):
    jobs = base + "/jobs/query"
    created = session.post(jobs, json={"operation": "query", "query": soql})
    created.raise_for_status()
    job = f"{jobs}/{created.json()['id']}"
    while (state := session.get(job).json()["state"]) != "JobComplete":
        if state in ("Failed", "Aborted"):
            raise RuntimeError(state)
        time.sleep(0.1)
    options = {
        "parse_options": pacsv.ParseOptions(newlines_in_values=True),
        "read_options": pacsv.ReadOptions(block_size=8 << 20),
        "convert_options": pacsv.ConvertOptions(
            column_types={field.name: field.type for field in schema}, null_values=[""], strings_can_be_null=True,
            quoted_strings_can_be_null=True, true_values=["true"], false_values=["false"],
        ),
    }
    locator = None
    while locator != "null":
        answer = session.get(job + "/results", params={"maxRecords": BATCH, **({"locator": locator} if locator else {})})
        answer.raise_for_status()
        locator = answer.headers["Sforce-Locator"]
        if int(answer.headers["Sforce-NumberOfRecords"]):
            yield pacsv.read_csv(pa.BufferReader(answer.content), **options)


def run(task):
    session = requests.Session()
    if not task["gzip"]:
        session.headers["Accept-Encoding"] = "identity"
    login = session.post(task["vendor"] + "/services/oauth2/token", data={"grant_type": "client_credentials"})
    session.headers["Authorization"] = "Bearer " + login.json()["access_token"]
    base = task["vendor"] + "/services/data/v62.0"
    types = {f["name"]: f["type"] for f in session.get(f"{base}/sobjects/{task['object']}/describe").json()["fields"]}
    schema = pa.schema([(name, TYPES.get(kind, pa.string())) for name, kind in types.items()])
    soql = f"SELECT {', '.join(types)} FROM {task['object']}"
    s3 = fs.S3FileSystem(
        endpoint_override=task["s3"]["endpoint"].split("://")[1], scheme="http", region=task["s3"]["region"],
        access_key=task["s3"]["accessKeyId"], secret_key=task["s3"]["secretAccessKey"],
    )
    rows = 0
    with pq.ParquetWriter(f"{task['s3']['bucket']}/{task['prefix']}/accounts.parquet", schema, filesystem=s3, compression="zstd") as writer:
        for table in (bulk if task["form"] == "csv" else rest)(session, base, soql, schema):
            rows += table.num_rows
            writer.write_table(table)
    return {"rows": rows}


def say(value):
    print(json.dumps(value), flush=True)


say({"ready": True})
for line in sys.stdin:
    try:
        say(run(json.loads(line)))
    except Exception as error:
        say({"error": repr(error)})
