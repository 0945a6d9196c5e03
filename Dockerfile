# The program is one static file: time zones, migrations and the default rule
# files are inside it. It works on the Postgres that DATABASE_URL names.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /image/nightshift ./cmd/nightshift
# Workbooks are put together in /tmp; a database reached over TLS is checked
# against the usual authorities; the account has a name.
RUN mkdir -m 1777 /image/tmp \
 && mkdir -p /image/etc/ssl/certs \
 && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
 && echo 'nightshift:x:65532:65532:nightshift:/tmp:/sbin/nologin' > /image/etc/passwd

FROM scratch
COPY --from=build /image /
USER 65532:65532
# serve listens on loopback unless it is told otherwise, and beyond it only with
# credentials: -e NIGHTSHIFT_LISTEN=0.0.0.0:8042 -e NIGHTSHIFT_TOKEN=…
EXPOSE 8042
ENTRYPOINT ["/nightshift"]
CMD ["serve"]
