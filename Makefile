# What people type. The work is in xtask and lab.

# Where rustup puts cargo, for a shell that has not read its profile.
export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: demo demo-mixed test test-full soak bench-cni bench-ipam fuzz build install uninstall package lab-shell fmt linker fuzzer packer help

demo: linker ## the walk-through, on a real kernel with a real Docker Engine
	cargo xtask demo

demo-mixed: linker ## 60 containers of Docker, Podman and containerd on one subnet, on a real kernel
	cargo xtask demo-mixed

test: linker ## everything a change must pass
	cargo xtask test

test-full: linker ## the same on every engine of the lab, in full: hours; PARTS="bookworm sid" for some of it
	cargo xtask test-full $(PARTS)

soak: linker ## random operations and deaths of the driver, on a real kernel; SECONDS=600 of them
	cargo xtask soak --seconds $(or $(SECONDS),600)

bench-ipam: linker ## what the next address costs, with 10, 1,000 and 60,000 leases; on the file system of the checkout
	cargo xtask bench-ipam

bench-cni: linker ## what a container costs by CNI, with this plugin and with the reference plugins; on a real kernel
	cargo xtask bench-cni

fuzz: linker fuzzer ## broken bytes for every parser; TARGET=NAME for one of them, SECONDS=60 for each
	cargo xtask fuzz $(TARGET) --seconds $(or $(SECONDS),60)

build: linker ## the driver, optimised, in target/release
	cargo build --release --locked --package ipvland

# Root installs, and whoever calls builds: where that is not the same person, sudo is asked. PREFIX is /usr/local, unless
# told otherwise, and CNI_PLUGINS /opt/cni/bin; with DESTDIR, for those who make packages, nobody needs to be root.
INSTALL = $(if $(DESTDIR),,$(if $(filter 0,$(shell id -u)),,sudo)) \
    env DESTDIR=$(DESTDIR) PREFIX=$(or $(PREFIX),/usr/local) CNI_PLUGINS=$(CNI_PLUGINS) FORCE=$(FORCE) \
    packaging/install

install: build ## the driver, its units, manual and completions on this host
	$(INSTALL) install

uninstall: ## take it off again, unless a network needs it
	$(INSTALL) uninstall

package: linker packer ## a Debian package, in target/debian
	cargo xtask package

lab-shell: ## a shell in the virtual machine
	lab/lab shell --docker

fmt: ## format the code
	cargo fmt --all

# bring PROGRAM,PACKAGES: installs what has it, where it is not there.
bring = @command -v $(1) >/dev/null || { as_root=$$(test $$(id -u) = 0 || echo sudo); \
    $$as_root apt-get update && $$as_root apt-get install --yes --no-install-recommends $(2); }

# A machine that has Rust may still lack what Rust links with; nothing of ours that could install it links without it.
linker:
	$(call bring,cc,gcc libc6-dev)

# The fuzzer is written in C++.
fuzzer:
	$(call bring,c++,g++)

# What finds out which libraries a package needs.
packer:
	$(call bring,dpkg-shlibdeps,dpkg-dev)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20
