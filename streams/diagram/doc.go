// Package diagram is for drawings of topologies: as DOT for Graphviz, as Mermaid for Markdown pages, and as SVG for people. A drawing shows topics and
// stores beside the nodes, one box a sub-topology, and under each node the steps that made it.
package diagram
