"""What RingCentral says by itself: the handshake of a new address, and the notifications."""
