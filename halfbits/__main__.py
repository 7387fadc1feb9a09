from halfbits.cli import main

main()
