"""RingCentral on localhost, written from its reference; shares no code with the other packages."""
