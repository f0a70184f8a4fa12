#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The report page in a browser: complete in itself, silent on the console, in its
# place on a phone and in the dark. Screenshots stay in SCREENSHOTS, to be looked at.
# report.sh SVMATOMIC-BENCH DATA-DIRECTORY SCREENSHOTS
set -eu

bench=$1
data=$2
shots=$3
failures=0

browser=
for name in chromium chromium-browser google-chrome; do
	if command -v "$name" >/dev/null; then
		browser=$name
		break
	fi
done
if [ -z "$browser" ]; then
	echo "skipped: no chromium to open the report in"
	exit 77
fi
if ! command -v gnuplot >/dev/null; then
	echo "skipped: no gnuplot to draw the report's charts"
	exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$shots"

bad()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# browse WIDTH HEIGHT OPTION...: stdout is the browser's, stderr in $work/log.
browse()
{
	size=$1,$2
	shift 2
	timeout 120 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars \
		--user-data-dir="$work/profile" --enable-logging=stderr --v=0 \
		--window-size="$size" "$@" 2>"$work/log"
}

console()
{
	grep ':CONSOLE' "$work/log" || true
}

# A copy of a page that reports on itself: its width and its frame's, its height, whether
# it is dark, its smallest chart text in pixels, how many chart texts leave their chart,
# and how many run into each other. In a frame, because windows have a least width.
probe()
{
	cat "$1" - <<'EOF' >"$work/probe.html"
<script>
const root = document.documentElement, height = root.scrollHeight;
document.querySelectorAll('details').forEach(d => { d.open = true; });
let smallest = 99, outside = 0, collisions = 0;
for (const svg of document.querySelectorAll('svg')) {
	const frame = svg.getBoundingClientRect();
	const boxes = [];
	for (const text of svg.querySelectorAll('text')) {
		const size = parseFloat(getComputedStyle(text).fontSize);
		const box = text.getBoundingClientRect();
		smallest = Math.min(smallest, size * frame.width / svg.viewBox.baseVal.width);
		if (box.left < frame.left - 1 || box.right > frame.right + 1 ||
		    box.top < frame.top - 2 || box.bottom > frame.bottom + 2)
			outside++;
		for (const other of boxes)
			if (box.left < other.right - 1 && other.left < box.right - 1 &&
			    box.top < other.bottom - 5 && other.top < box.bottom - 5)
				collisions++;
		boxes.push(box);
	}
}
parent.postMessage([root.scrollWidth, innerWidth, height,
	matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
	Math.floor(smallest * 10) / 10, outside, collisions].join(' '), '*');
</script>
EOF
}

# measure WIDTH OPTION...: of the probe, into the variables below.
measure()
{
	cat <<EOF >"$work/frame.html"
<!DOCTYPE html><title>no answer</title>
<script>onmessage = message => { document.title = 'probe ' + message.data; };</script>
<iframe src="probe.html" width="$1" height="900" style="border:0"></iframe>
EOF
	shift
	browse 1400 900 "$@" --virtual-time-budget=5000 --dump-dom "file://$work/frame.html" >"$work/dom"
	title=$(sed -n 's/.*<title>probe \([^<]*\)<.*/\1/p' "$work/dom")
	# shellcheck disable=SC2086
	set -- $title
	[ $# -eq 7 ] || { bad "the browser did not answer: $(cat "$work/log")"; exit 1; }
	page_width=$1 frame_width=$2 page_height=$3 scheme=$4 smallest=$5 outside=$6 collisions=$7
}

# look PAGE NAME WIDTH SCHEME OPTION...: everything that a browser can tell.
look()
{
	page=$1
	what=$2
	wanted_width=$3
	wanted_scheme=$4
	shift 4

	probe "$page"
	measure "$wanted_width" "$@"
	echo "$what: $title"
	[ "$frame_width" -eq "$wanted_width" ] || bad "$what: the frame is $frame_width wide"
	[ "$page_width" -le "$frame_width" ] || bad "$what: $page_width pixels of page are in $frame_width"
	[ "$scheme" = "$wanted_scheme" ] || bad "$what: the colours are $scheme"
	[ "${smallest%.*}" -ge 9 ] || bad "$what: text of $smallest pixels"
	[ "$outside" -eq 0 ] || bad "$what: $outside texts are cut off"
	[ "$collisions" -eq 0 ] || bad "$what: $collisions texts run into each other"

	browse "$wanted_width" "$page_height" "$@" --screenshot="$shots/$what.png" \
		"file://$page" >/dev/null || bad "$what: no screenshot"
	[ -z "$(console)" ] || bad "$what: $(console)"
}

# What holds of any page, whoever shows it.
inspect()
{
	page=$1
	what=$2

	if grep -nEi 'https?://|<script|<iframe|<object|<embed|@import|[ "]src=|srcset=' "$page"; then
		bad "$what: it refers to something outside"
	fi
	if grep -oE "href=[\"'][^\"']*|url\\([^)]*" "$page" | grep -vE "href=[\"'](#|data:,)|url\\(#"; then
		bad "$what: a link leads outside"
	fi
	grep -oE " id=[\"'][^\"']*" "$page" | sort | uniq -d >"$work/twice"
	[ ! -s "$work/twice" ] || bad "$what: ids used twice: $(head -3 "$work/twice")"
	grep -oE 'var\(--[a-z0-9-]*' "$page" | sed 's/var(//' | sort -u >"$work/used"
	sed -nE 's/^\t(--[a-z0-9-]*):.*/\1/p' "$page" | sort -u >"$work/defined"
	comm -23 "$work/used" "$work/defined" >"$work/undefined"
	[ ! -s "$work/undefined" ] || bad "$what: colours without a value: $(cat "$work/undefined")"
	if sed 's/<[^>]*>/ /g' "$page" | grep -niwE 'nan|-?inf|null|\(null\)'; then
		bad "$what: a missing figure is shown as one"
	fi
	[ "$(grep -c '<svg' "$page")" -eq "$(grep -c '<svg .*role="img" aria-label="[^"]' "$page")" ] ||
		bad "$what: a chart without description"
	[ "$(grep -c '<figure>' "$page")" -eq "$(grep -c '<figcaption>[^<]' "$page")" ] ||
		bad "$what: a chart without caption"
}

# has PAGE TEXT: a page says it.
has()
{
	grep -qF -e "$2" "$work/$1.html" || bad "$1: nothing about $2"
}

# refused WANTED PATTERN COMMAND...: it ends with WANTED, says PATTERN, leaves no page.
refused()
{
	wanted=$1
	pattern=$2
	shift 2
	status=0
	"$@" report -o "$work/none.html" "$data/report-quick.json" >/dev/null 2>"$work/log" || status=$?
	[ "$status" -eq "$wanted" ] || bad "$*: status $status, not $wanted"
	grep -q -e "$pattern" "$work/log" || bad "$*: no '$pattern' in: $(cat "$work/log")"
	[ ! -e "$work/none.html" ] || bad "$*: it left a page"
}

# A page with every fault: were these not seen, the silence of the others would mean nothing.
cat >"$work/faulty.html" <<'EOF'
<!DOCTYPE html><title>faulty</title><body style="margin:0">
<script>console.error("seen");</script>
<div style="width:700px">wide</div>
<svg viewBox="0 0 100 50" style="width:100px" font-size="8">
<text x="0" y="20">one</text><text x="2" y="20">two</text><text x="90" y="40">outside</text></svg>
EOF
probe "$work/faulty.html"
measure 360
if [ "$page_width" -le 360 ] || [ "${smallest%.*}" -ge 9 ] || [ "$outside" -ne 1 ] ||
	[ "$collisions" -ne 1 ]; then
	bad "faults in a page go unseen: $title"
fi
[ -n "$(console)" ] || bad "messages on the console go unseen"

"$bench" report -o "$work/quick.html" "$data/report-quick.json"
"$bench" report -o "$work/gpu.html" "$data/report-gpu.json"
"$bench" report -o "$work/flawed.html" "$data/report-flawed.json"
"$bench" report -o "$work/together.html" "$data/report-quick.json" "$data/report-gpu.json" \
	"$data/report-flawed.json" >"$work/beside"

for name in quick gpu flawed together; do
	inspect "$work/$name.html" "$name"
	look "$work/$name.html" "$name-desktop" 1280 light
	look "$work/$name.html" "$name-phone" 360 light
	look "$work/$name.html" "$name-dark" 1280 dark --blink-settings=preferredColorScheme=0
done

for chart in 'Throughput over CPU threads' 'Throughput over CPU think time' \
	'Device slow-down: work-items × CPU threads' 'CPU slow-down: operation × layout' \
	'Throughput by operation' 'Throughput by layout' 'One CPU operation on the contended word' \
	'Handing a token to the other side' 'SVM atomics against the best of the others' \
	'Time of the three variants'; do
	has quick "<h3>$chart"
	has gpu "<h3>$chart"
done
has quick 'CPU device'
has quick 'these are no figures of a GPU'
has quick 'fixture, not measured'
has gpu 'real GPU'
has flawed 'virtual device'
has flawed 'Partial result.'
has flawed 'interrupted by the user'
has flawed 'Lost updates.'
has flawed 'Unreliable points.'
has flawed 'Self-check failed.'
has flawed 'No latency of handing over: refused, no gate'
has flawed '&lt;cl_ext_float_atomics&gt;'
has flawed '&lt;b&gt;&amp;amp;&lt;/b&gt;'
has together 'report-quick, together'
has together '<h2>Side by side'
grep -q '^device alone  *94\.27 Mop/s  *2\.139 Mop/s  *94\.16 Mop/s (0\.999x)$' "$work/beside" ||
	bad "no figures side by side in: $(cat "$work/beside")"
if grep -q 'Side by side' "$work/quick.html"; then
	bad "one device is beside itself"
fi

# Without gnuplot, and with one that fails: its reason, and no page.
mkdir "$work/empty" "$work/broken"
printf '#!/bin/sh\necho "out of ink" >&2\nexit 1\n' >"$work/broken/gnuplot"
chmod +x "$work/broken/gnuplot"
refused 69 'install gnuplot-nox' env PATH="$work/empty" "$bench"
refused 70 'out of ink' env PATH="$work/broken:$PATH" "$bench"

[ "$failures" -eq 0 ] || { echo "$failures failures"; exit 1; }
