-- What of an upload was taken in by earlier files is counted with what comes of it.
CREATE INDEX usage_records_upload ON usage_records (site, upload) WHERE upload <> '';
