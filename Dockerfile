# docker build -t faregate .
# docker run -p 127.0.0.1:8080:8080 -v faregate:/var/lib/faregate faregate
#
# The ledger must be on a volume: a container's own layer goes when the container goes. The first start
# prints the administrator's key once (docker logs).

FROM swift:6.2-bookworm AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libsqlite3-dev libcurl4-openssl-dev libssl-dev make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The dependencies first: they change seldom.
COPY Package.swift ./
RUN mkdir Sources Tests && swift package resolve || true
COPY . .
RUN make install DESTDIR=/out PREFIX=/usr

FROM debian:bookworm-slim
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libsqlite3-0 libcurl4 tzdata ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --uid 10001 faregate \
    && install -d -m 700 -o faregate -g faregate /var/lib/faregate
COPY --from=build /out/usr/bin/faregate /usr/bin/faregate
USER faregate
VOLUME /var/lib/faregate
EXPOSE 8080
ENV FAREGATE_DB=/var/lib/faregate/faregate.db FAREGATE_HOST=0.0.0.0 FAREGATE_PORT=8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$FAREGATE_PORT && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && head -1 <&3 | grep -q ' 200 '"]
# SIGTERM finishes what is under way; docker stop waits 10 s unless told otherwise (-t 60).
STOPSIGNAL SIGTERM
ENTRYPOINT ["faregate"]
CMD ["serve"]
