from halfbits.course.cli.main import main

main()
