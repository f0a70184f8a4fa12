# shellcheck shell=sh
# shellcheck disable=SC2154 # kernel.sh and vm.sh set what is not set here
# SPDX-License-Identifier: MIT
#
# A Debian 13 for the virtual machine, as a read-only image: the tree that Mesa is built in
# without what is only for building, Mesa as ./run mesa build installs it, and our programs.
# Needs vm.sh and build.sh.
: "${top:?is set by ./run}"

vm_mesa=${SVMATOMIC_MESA_BUILD:-$top/build/mesa}
vm_image=$kernel_build/vm/debian.erofs

# Compilers, what is for them, documentation, and what was left by running things. What the linker
# wants stays: PoCL links kernels.
vm_root_pruned='
	usr/include usr/src usr/libexec/gcc usr/libexec/git-core
	usr/lib/rustlib usr/lib/git-core usr/lib/python3* usr/lib/valgrind
	usr/lib/llvm-19/bin usr/lib/llvm-19/include usr/lib/llvm-19/build
	usr/lib/x86_64-linux-gnu/librustc_driver* usr/lib/x86_64-linux-gnu/lib*san.so*
	usr/lib/x86_64-linux-gnu/perl* usr/lib/x86_64-linux-gnu/gconv
	usr/bin/*lto-dump* usr/bin/bindgen usr/bin/ccache usr/bin/git* usr/bin/perl* usr/bin/python*
	usr/bin/rust* usr/bin/scalar usr/bin/spirv-*
	usr/share/doc usr/share/info usr/share/locale usr/share/man usr/share/perl*
	usr/share/zoneinfo var/cache var/lib/apt var/lib/dpkg root/.cache tmp work'

# A tree of links, so that taking things away leaves the original alone. Files that are
# changed have to be replaced.
vm_root_tree()
(
	cp -al "$vm_mesa/root" "$1" && cd "$1" || exit
	# shellcheck disable=SC2086 # patterns
	rm -rf $vm_root_pruned
	mkdir -p tmp proc sys dev usr/local/lib etc/OpenCL/vendors &&
		cp -a "$vm_mesa/install/lib"/libRusticlOpenCL.so* "$vm_mesa/install/lib/gallium-pipe" usr/local/lib/ &&
		cp -a "$vm_mesa/install/etc/OpenCL/vendors/rusticl.icd" etc/OpenCL/vendors/ &&
		cp -a "$vm_root_programs/." . &&
		/sbin/ldconfig -r .
)

vm_root_image()
{
	rm -rf "$vm_image.tree"
	vm_root_tree "$vm_image.tree" &&
		mkfs.erofs -d1 -T0 --all-root "$vm_image.new" "$vm_image.tree" &&
		mv "$vm_image.new" "$vm_image"
	vm_root_status=$?
	rm -rf "$vm_image.tree"
	return "$vm_root_status"
}

# Our programs and their library, as they are installed, in vm_root_programs.
vm_root_install()
{
	vm_root_programs=$vm_dir.programs
	meson install -C "$top/build" --no-rebuild --quiet --strip --destdir "$vm_root_programs" \
		>"$kernel_logs/vm-install.log" 2>&1 </dev/null ||
		die "$EX_SOFTWARE" "cannot install our programs; see $kernel_logs/vm-install.log"
	rm -rf "$vm_root_programs/usr/local/include" "$vm_root_programs/usr/local/share/man"
	find "$vm_root_programs" -name '*.a' -delete
}

vm_root_inputs()
{
	cat "$vm_mesa/root.stamp" "$vm_mesa/install.stamp" &&
		echo "$vm_root_pruned" && vm_hash "$vm_root_programs"
}

# Have the image, of what is built now. Needs a vm_dir, to whose end it leaves things.
vm_root_make()
{
	[ -f "$vm_mesa/install.stamp" ] ||
		die "$EX_UNAVAILABLE" 'there is no Mesa for the machine yet: ./run mesa build'
	vm_root_install
	vm_root_wanted=$(vm_root_inputs)
	if [ "$vm_root_wanted" != "$(cat "$vm_image.stamp" 2>/dev/null)" ] || [ ! -f "$vm_image" ]; then
		rm -f "$vm_image.stamp"
		step 'making the image of Debian 13' "$kernel_logs/vm-root.log" vm_root_image ||
			die "$EX_CANTCREAT" "cannot make $vm_image; see $kernel_logs/vm-root.log (is the disk full?)"
		echo "$vm_root_wanted" >"$vm_image.stamp"
	fi
	rm -rf "$vm_root_programs"
}
