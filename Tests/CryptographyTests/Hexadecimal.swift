/// The bytes that hexadecimal digits spell.
func bytes(_ digits: String) -> [UInt8] {
    let digits = Array(digits)
    precondition(digits.count.isMultiple(of: 2), "two digits for each byte")
    return stride(from: 0, to: digits.count, by: 2).map { place in
        guard let byte = UInt8(String(digits[place...place + 1]), radix: 16) else {
            preconditionFailure("\(digits[place...place + 1]) are no hexadecimal digits")
        }
        return byte
    }
}
