# What people type. The work is in xtask and lab.

# Where rustup puts cargo, for a shell that has not read its profile.
export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: demo test lab-shell fmt help

demo: ## the walk-through, on a real kernel with a real Docker Engine
	cargo xtask demo

test: ## everything a change must pass
	cargo xtask test

lab-shell: ## a shell in the virtual machine
	lab/lab shell --docker

fmt: ## format the code
	cargo fmt --all

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20
