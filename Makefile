# Two commands do everything on a fresh Debian machine with the Swift toolchain:
#   make run     installs what is missing, builds, plays real traffic, stays up
#   make test    installs what is missing, builds, runs all tests
# Everything else is for people who work on Faregate.

SHELL := /bin/bash
PACKAGES := libsqlite3-dev libcurl4-openssl-dev libssl-dev tzdata python3-venv
JOBS := $(shell nproc)
DATA ?= data
PORT ?= 8080
VENV := .build/venv
PREFIX ?= /usr/local
DESTDIR ?=
UNITS ?= $(PREFIX)/lib/systemd/system
PYTHON_PACKAGES := jsonschema==4.26.0 PyYAML==6.0.3 openapi-spec-validator==0.9.0 prometheus-client==0.26.0 promql-parser==0.12.0 standardwebhooks==1.1.0 tiktoken==0.14.0
# Other people's SDKs, for the tests of the gateway.
CLIENTS := Tests/EndToEnd/requirements.txt
# The tests in which threads meet, and those of them that look at the clock on the wall.
TSAN_TESTS := ^(EngineTests|ProjectionsTests|HTTPAPITests|GatewayTests|ServerTests)\.
# Tests with sockets have time limits, and tests that only compute take all cores for minutes: one after the other.
SOCKET_TESTS := ^(HTTPAPITests\.LiveTests|ServerTests|GatewayTests|CurlTransportTests|SandboxTests|CLITests|SimulatorsTests)[./]
TIMED_TESTS := ^(HTTPAPITests\.LiveTests|ServerTests\.ServerTests)

.PHONY: run build release test test-slow tsan fuzz bench bench-http bench-gateway bench-streams bench-tokens \
	bench-stripe bench-scale lint format packages venv \
	clean install uninstall docs

run: release
	@mkdir -p $(DATA)
	.build/release/faregate sandbox --db $(DATA)/sandbox.db --port $(PORT)

build: packages
	swift build -j $(JOBS)

release: packages
	swift build -c release -j $(JOBS) --product faregate

# One binary with the Swift libraries inside, without symbols; its manual pages, completions and unit.
# `make install DESTDIR=/tmp/package PREFIX=/usr` for a package. The build is the release build, linked
# once more.
install: packages
	swift build -c release -j $(JOBS) --product faregate --static-swift-stdlib
	install -D -m 755 .build/release/faregate $(DESTDIR)$(PREFIX)/bin/faregate
	strip --strip-all $(DESTDIR)$(PREFIX)/bin/faregate
	@! ldd $(DESTDIR)$(PREFIX)/bin/faregate | grep -iE 'swift|Foundation|not found' \
		|| { echo "the binary needs Swift libraries"; exit 1; }
	$(DESTDIR)$(PREFIX)/bin/faregate manual --to $(DESTDIR)$(PREFIX)/share
	install -d -m 755 $(DESTDIR)$(UNITS)
	sed 's|@PREFIX@|$(PREFIX)|' packaging/faregate.service > $(DESTDIR)$(UNITS)/faregate.service
	chmod 644 $(DESTDIR)$(UNITS)/faregate.service

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/faregate $(DESTDIR)$(UNITS)/faregate.service
	rm -f $(DESTDIR)$(PREFIX)/share/man/man1/faregate.1 $(DESTDIR)$(PREFIX)/share/man/man1/faregate-*.1
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/faregate
	rm -f $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_faregate
	rm -f $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/faregate.fish

test: packages venv
	swift build --build-tests -j $(JOBS)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" swift test --skip-build --parallel --skip '$(SOCKET_TESTS)'
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" swift test --skip-build --parallel --filter '$(SOCKET_TESTS)'
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" Tests/run-end-to-end

# The Swift tests with ten times the seeds and a million ids, 200 crashes instead of 20, half an hour of
# traffic instead of two minutes, and the schemathesis run over every operation.
test-slow: packages venv
	swift build --build-tests -j $(JOBS)
	$(VENV)/bin/pip install --quiet schemathesis
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" FAREGATE_SLOW=1 swift test --skip-build --parallel --skip '$(SOCKET_TESTS)'
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" FAREGATE_SLOW=1 swift test --skip-build --parallel --filter '$(SOCKET_TESTS)'
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" FAREGATE_CRASHES=200 FAREGATE_SOAK_SECONDS=1800 FAREGATE_TOKEN_TEXTS=100000 FAREGATE_SLOW=1 Tests/run-end-to-end

# ThreadSanitizer: a build of its own, in .build-tsan. Tests that measure time run one after the other,
# because everything is ten times slower here.
TSAN := --sanitize=thread --scratch-path .build-tsan -Xswiftc -DTHREAD_SANITIZER
tsan: export TSAN_OPTIONS := second_deadlock_stack=1
tsan: packages
	swift build --build-tests $(TSAN) -j $(JOBS)
	swift test --skip-build $(TSAN) --filter '$(TSAN_TESTS)' --skip '$(TIMED_TESTS)'
	swift test --skip-build $(TSAN) --no-parallel --filter '$(TIMED_TESTS)'

# libFuzzer with AddressSanitizer on what reads outside bytes: `make fuzz SECONDS=600`, for each of them.
fuzz: packages
	JOBS=$(JOBS) SECONDS_EACH=$(or $(SECONDS),60) Tests/run-fuzz

bench: packages
	swift build -c release -j $(JOBS) --product FaregateBenchmarks
	.build/release/FaregateBenchmarks

# Single calls and batches over HTTP, beside a bare route. Needs wrk.
bench-http: release
	swift build -c release -j $(JOBS) --product FaregateBenchmarks
	python3 Tests/Benchmarks/http.py

# What the gateway adds to a call, beside the same call to a simulated provider.
bench-gateway: release
	python3 Tests/Benchmarks/gateway.py

# Many slow streams at once: memory of the gateway, and how it answers others meanwhile.
bench-streams: release
	python3 Tests/Benchmarks/streams.py

# The tokenizers beside tiktoken and bpe-openai, which it installs for itself.
bench-tokens: packages venv
	swift build -c release -j $(JOBS) --product FaregateBenchmarks
	$(VENV)/bin/pip install --quiet --disable-pip-version-check bpe-openai==0.1.4
	$(VENV)/bin/python3 Tests/Benchmarks/tokens.py

# An hour's usage of 100,000 customers to Stripe, and what reservations notice of it.
bench-stripe: packages
	swift build -c release -j $(JOBS) --product FaregateBenchmarks
	.build/release/FaregateBenchmarks --part stripe --customers 100000 --seconds 20

# Growth, restart and replay; the last one takes a quarter of an hour and 15 GB of disk.
bench-scale: packages
	swift build -c release -j $(JOBS) --product FaregateBenchmarks
	for customers in 1000 100000 1000000; do \
		.build/release/FaregateBenchmarks --part scale --customers $$customers --events 2000000 || exit 1; done
	.build/release/FaregateBenchmarks --part scale --customers 100000 --events 10000000

lint:
	swift format lint --strict --parallel --recursive --configuration .swift-format Package.swift Sources Tests

format:
	swift format --in-place --parallel --recursive --configuration .swift-format Package.swift Sources Tests

# Help texts and schemas are written by the program; the tests compare.
docs: build
	FAREGATE_UPDATE_DOCS=1 FAREGATE_UPDATE_SCHEMAS=1 swift test --filter 'HelpTests|EventSchema'

# Only asks for root when something is missing.
packages:
	@missing=""; for package in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "Installing:$$missing"; \
		if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
		$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi; \
	command -v swift >/dev/null || { echo "The Swift toolchain (6.2 or newer) is missing: https://www.swift.org/install/linux/"; exit 1; }

venv: $(VENV)/ready

$(VENV)/ready: Makefile $(CLIENTS)
	@mkdir -p .build
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check $(PYTHON_PACKAGES) -r $(CLIENTS)
	@touch $@

clean:
	rm -rf .build .build-tsan .build-fuzz
