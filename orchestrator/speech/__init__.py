"""From a reply's text to sound on the leg: pieces, links, playout."""
