"""`python -m halfbits.course.interview.bank [FILES]` prints every mistake of the bank."""

import sys

from halfbits.course.interview.bank.bank import main

sys.exit(main(sys.argv[1:]))
