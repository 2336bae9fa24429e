"""The report: one HTML file with everything in it, for screens of any width, and for paper.

Charts are SVG drawn here, so that the file needs no network and no script. A figure's title says
what was found; colours stand for the same subject throughout, and never alone.
"""
