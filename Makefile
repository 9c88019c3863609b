# Huying. `make help` lists what there is.
.DEFAULT_GOAL := help
.PHONY: help run test check bench lock translations

# Further arguments for run.py or pytest: make run ARGS="--port 8081", make test ARGS="tests/test_config.py"
ARGS ?=

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

run: ## set up what is missing and start Huying (http://127.0.0.1:8080/)
	@bin/setup run
	@exec .venv/bin/python run.py $(ARGS)

test: ## set up what is missing, test tools too, and run all tests
	@bin/setup test
	@exec .venv/bin/python -m pytest -n 2 --dist worksteal $(ARGS)

check: ## linters and types
	@bin/setup tools
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: ## the benchmarks, beside Django admin, stock Flask-AppBuilder and a bare page (make bench ARGS="--calls 100000")
	@bin/setup test
	@test -x .venv-bench/bin/python || .venv/bin/python -m venv .venv-bench
	@.venv-bench/bin/pip install --quiet --no-deps --require-hashes --requirement requirements-bench.txt
	@.venv/bin/python -m bench $(ARGS)

COMPILE = .venv/bin/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --allow-unsafe

lock: ## pin the newest versions that requirements*.in allow (make lock ARGS="-P flask" for one package)
	@bin/setup tools
	$(COMPILE) $(or $(ARGS),--upgrade) --output-file requirements.txt requirements.in
	$(COMPILE) $(or $(ARGS),--upgrade) --output-file requirements-test.txt requirements-test.in
	$(COMPILE) $(or $(ARGS),--upgrade) --output-file requirements-node.txt requirements-node.in
	$(COMPILE) $(or $(ARGS),--upgrade) --output-file requirements-bench.txt requirements-bench.in

translations: ## bring the message catalogues in step with the program; names what waits for its Chinese
	@bin/setup tools
	.venv/bin/python -m translations.catalogues
