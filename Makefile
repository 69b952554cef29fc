# What people type. The work is in xtask and lab.

.PHONY: help demo test fmt shell

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## the walk-through, on a real kernel with a real Docker Engine
	cargo xtask demo

test: ## everything a change must pass
	cargo xtask test

fmt: ## format the code
	cargo fmt --all

shell: ## a shell in the virtual machine
	lab/lab shell --docker
