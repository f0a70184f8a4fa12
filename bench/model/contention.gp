# SPDX-License-Identifier: MIT
#
# What was measured, as points, and what the model says, as lines, over the hold; a line
# for each think time.
#	awk -f model.awk points.tsv >model.tsv && gnuplot contention.gp
# Reads model.tsv, writes contention.svg.
set terminal svg size 1000,340 font "sans-serif,12" background "white"
set output "contention.svg"
set datafile separator tab
set datafile commentschars "#"
set multiplot layout 1,3
set logscale xy
set format y "10^{%T}"
set xlabel "hold (µs)"
set grid
set key off
thinks = "0 20000 100000 300000"
label(t) = t eq "0" ? "CPU does not think" : sprintf("CPU thinks %g µs", real(t) / 1e3)

set title "device, operations/s"
plot for [i=1:words(thinks)] "model.tsv" using ($1/1e3):($2 == real(word(thinks, i)) ? $4 : 1/0) with lines lc i, \
	for [i=1:words(thinks)] "" using ($1/1e3):($2 == real(word(thinks, i)) ? $3 : 1/0) with points lc i pt 7 ps 0.5
set title "CPU, operations/s"
plot for [i=1:words(thinks)] "model.tsv" using ($1/1e3):($2 == real(word(thinks, i)) ? $6 : 1/0) with lines lc i, \
	for [i=1:words(thinks)] "" using ($1/1e3):($2 == real(word(thinks, i)) ? $5 : 1/0) with points lc i pt 7 ps 0.5
set title "pages changing sides/s"
set key bottom left
set yrange [50:]
plot for [i=1:words(thinks)] "model.tsv" using ($1/1e3):($2 == real(word(thinks, i)) ? $8 : 1/0) with lines lc i title label(word(thinks, i)), \
	for [i=1:words(thinks)] "" using ($1/1e3):($2 == real(word(thinks, i)) ? $7 : 1/0) with points lc i pt 7 ps 0.5 notitle
unset multiplot
