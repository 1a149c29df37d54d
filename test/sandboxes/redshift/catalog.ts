/**
 * What is in the database before anybody comes: Redshift's functions and system views, as far as they are imitated.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_COLUMNS.html
 * https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLES.html
 * https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
 */
export const CATALOG = `
CREATE SCHEMA redshift;
CREATE FUNCTION redshift.json_parse(text) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::jsonb';
CREATE FUNCTION redshift.json_serialize(jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::text';
CREATE FUNCTION redshift.to_hex(bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT encode($1, 'hex') $$;
CREATE TABLE redshift.clock (ahead interval NOT NULL);
INSERT INTO redshift.clock VALUES ('0');
CREATE FUNCTION redshift.getdate() RETURNS timestamp LANGUAGE sql STABLE
  AS $$ SELECT date_trunc('second', now() AT TIME ZONE 'UTC' + ahead) FROM redshift.clock $$;
CREATE FUNCTION redshift.nvl(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE
  AS 'SELECT coalesce($1, $2)';
CREATE ROLE reader;
GRANT USAGE ON SCHEMA redshift TO reader;
CREATE VIEW redshift.columns_of AS
  SELECT c.oid AS relation, n.nspname AS table_schema, c.relname AS table_name, c.relkind,
    a.attname AS column_name, a.attnum AS ordinal_position, a.attnotnull AS not_null,
    CASE WHEN t.typtype = 'd' THEN t.typname::text ELSE format_type(a.atttypid, a.atttypmod) END AS type
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v')
    AND n.nspname NOT IN ('redshift', 'pg_catalog', 'information_schema');
CREATE VIEW redshift.svv_columns AS
  SELECT current_database()::text AS table_catalog, table_schema::text, table_name::text, column_name::text,
    ordinal_position::integer, NULL::text AS column_default,
    CASE WHEN not_null THEN 'NO' ELSE 'YES' END AS is_nullable,
    regexp_replace(type, '[(].*[)]', '') AS data_type,
    CASE WHEN type LIKE 'character varying(%' THEN substring(type from '[0-9]+')::integer END
      AS character_maximum_length,
    CASE WHEN type LIKE 'numeric(%' THEN substring(type from '[0-9]+')::integer END AS numeric_precision,
    CASE WHEN type LIKE 'numeric(%' THEN substring(type from ',([0-9]+)')::integer END AS numeric_scale
  FROM redshift.columns_of WHERE table_schema NOT LIKE 'pg_temp%';
CREATE VIEW redshift.svv_tables AS
  SELECT DISTINCT current_database()::text AS table_catalog, table_schema::text, table_name::text,
    CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'BASE TABLE' END AS table_type
  FROM redshift.columns_of WHERE table_schema NOT LIKE 'pg_temp%';
CREATE TABLE redshift.sys_load_error_detail (
  start_time timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC'),
  file_name text, line_number bigint, column_name text, column_type text, column_length text,
  error_code integer, error_message text
);
GRANT SELECT ON ALL TABLES IN SCHEMA redshift TO reader;
`
