print("a design")
