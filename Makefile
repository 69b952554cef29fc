# What people type. The work is in xtask and lab.

# Where rustup puts cargo, for a shell that has not read its profile.
export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: demo test test-full lab-shell fmt linker help

demo: linker ## the walk-through, on a real kernel with a real Docker Engine
	cargo xtask demo

test: linker ## everything a change must pass
	cargo xtask test

test-full: linker ## the same on every engine of the lab, in full
	cargo xtask test-full

lab-shell: ## a shell in the virtual machine
	lab/lab shell --docker

fmt: ## format the code
	cargo fmt --all

# A machine that has Rust may still lack what Rust links with; nothing of ours that could install it links without it.
linker:
	@command -v cc >/dev/null || { as_root=$$(test $$(id -u) = 0 || echo sudo); \
	    $$as_root apt-get update && $$as_root apt-get install --yes --no-install-recommends gcc libc6-dev; }

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20
