extension Int {
    /// A number of patients or photographs to the nearest five, as pages and files that leave a site tell it, so that
    /// nobody is counted out.
    package var toNearestFive: Int { (self + 2) / 5 * 5 }
}
